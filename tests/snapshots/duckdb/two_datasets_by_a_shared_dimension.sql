WITH periods AS (
SELECT
  CAST(starts AS DATE) AS period,
  CAST(starts AS DATE) AS since,
  LEAST(CAST(starts + INTERVAL '1 MONTH' AS DATE), DATE '2026-04-01') - 1 AS through
FROM GENERATE_SERIES(TIMESTAMP '2026-03-01', DATE '2026-04-01' - INTERVAL '1 DAY', INTERVAL '1 MONTH') AS every(starts)
),
visits_rows AS (
SELECT
  CAST(day AS DATE) AS on_day,
  customer AS to_customer,
  1 AS v
FROM visits
WHERE day >= DATE '2026-03-01' AND day < DATE '2026-04-01'
),
customers_2 AS (
SELECT
  id AS to_customer,
  city AS by_city
FROM customers
),
days AS (
SELECT through, CAST(UNNEST(GENERATE_SERIES(CAST(since AS TIMESTAMP), through, INTERVAL '1 DAY')) AS DATE) AS on_day
FROM (SELECT DISTINCT since, through FROM periods) AS spans
),
visits_read AS (
SELECT
  spans.through,
  rows_read.to_customer AS to_customer,
  rows_read.v AS v
FROM visits_rows AS rows_read
JOIN days AS spans ON spans.on_day = rows_read.on_day
),
visits_answer AS (
SELECT
  spans.period,
  CAST(asked.to_customer__by_city AS VARCHAR) AS member_1,
  visit_count_24ba0e
FROM periods AS spans
JOIN (
SELECT
  subq_1.own__through AS own__through
  , customers_2_src_10000.by_city AS to_customer__by_city
  , SUM(subq_1.__visit_count_24ba0e) AS visit_count_24ba0e
FROM (
  SELECT
    to_customer
    , through AS own__through
    , CASE WHEN v IS NOT NULL THEN 1 ELSE 0 END AS __visit_count_24ba0e
  FROM visits_read visits_read_src_10000
) subq_1
LEFT OUTER JOIN
  customers_2 customers_2_src_10000
ON
  subq_1.to_customer = customers_2_src_10000.to_customer
GROUP BY
  subq_1.own__through
  , customers_2_src_10000.by_city
) AS asked ON asked.own__through = spans.through
),
lines_rows AS (
SELECT
  CAST(day AS DATE) AS on_day,
  customer AS to_customer,
  basket AS v
FROM lines
WHERE day >= DATE '2026-03-01' AND day < DATE '2026-04-01'
),
customers_3 AS (
SELECT
  id AS to_customer,
  city AS by_city
FROM customers
),
lines_read AS (
SELECT
  spans.through,
  rows_read.to_customer AS to_customer,
  rows_read.v AS v
FROM lines_rows AS rows_read
JOIN days AS spans ON spans.on_day = rows_read.on_day
),
lines_answer AS (
SELECT
  spans.period,
  CAST(asked.to_customer__by_city AS VARCHAR) AS member_1,
  baskets_6aabbd
FROM periods AS spans
JOIN (
SELECT
  lines_read_src_10000.through AS own__through
  , customers_3_src_10000.by_city AS to_customer__by_city
  , COUNT(DISTINCT lines_read_src_10000.v) AS baskets_6aabbd
FROM lines_read lines_read_src_10000
LEFT OUTER JOIN
  customers_3 customers_3_src_10000
ON
  lines_read_src_10000.to_customer = customers_3_src_10000.to_customer
GROUP BY
  lines_read_src_10000.through
  , customers_3_src_10000.by_city
) AS asked ON asked.own__through = spans.through
),
merged AS (
SELECT
  COALESCE(visits_answer.period, lines_answer.period) AS period,
  COALESCE(visits_answer.member_1, lines_answer.member_1) AS member_1,
  MAX(visits_answer.visit_count_24ba0e) AS visit_count_24ba0e,
  MAX(lines_answer.baskets_6aabbd) AS baskets_6aabbd
FROM visits_answer
FULL JOIN lines_answer ON visits_answer.period = lines_answer.period AND visits_answer.member_1 = lines_answer.member_1
GROUP BY COALESCE(visits_answer.period, lines_answer.period), COALESCE(visits_answer.member_1, lines_answer.member_1)
)
SELECT
  period,
  member_1 AS "customer__city",
  value_1 AS "value",
  value_2 AS "value_numerator",
  value_3 AS "value_denominator"
FROM (
  SELECT
    period,
    member_1,
    CASE WHEN visit_count_24ba0e IS NOT NULL OR baskets_6aabbd IS NOT NULL THEN (CAST(visit_count_24ba0e AS DOUBLE PRECISION) / NULLIF(CAST(baskets_6aabbd AS DOUBLE PRECISION), 0)) END AS value_1,
    visit_count_24ba0e AS value_2,
    baskets_6aabbd AS value_3
  FROM merged
) AS answers
WHERE value_1 IS NOT NULL OR value_2 IS NOT NULL OR value_3 IS NOT NULL
ORDER BY 1, 2
