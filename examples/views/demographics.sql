SELECT household_id, age, income, household_size, home_ownership, marital_status, kids_count
FROM read_parquet('{folder}/demographics.parquet')
