SELECT household_id, campaign_id, coupon_upc, CAST(redemption_date AS DATE) + {days} AS redeemed_on
FROM read_parquet('{folder}/coupon_redemptions.parquet')
WHERE CAST(redemption_date AS DATE) <= CAST({now} AS DATE)
