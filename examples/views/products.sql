SELECT product_id, manufacturer_id, department, brand, product_category, product_type, package_size
FROM read_parquet('{folder}/products.parquet')
