SELECT campaign_id, household_id
FROM read_parquet('{folder}/campaigns.parquet')
