SELECT
    campaign_id, campaign_type,
    CAST(start_date AS DATE) + {days} AS starts_on,
    CAST(end_date AS DATE) + {days} AS ends_on
FROM read_parquet('{folder}/campaign_descriptions.parquet')
WHERE CAST(start_date AS DATE) <= CAST({now} AS DATE)
