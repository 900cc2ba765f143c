WITH periods AS (
SELECT
  CAST(starts AS DATE) AS period,
  CAST(starts AS DATE) AS since,
  LEAST(CAST(starts + INTERVAL '1 MONTH' AS DATE), DATE '2026-04-01') - 1 AS through
FROM GENERATE_SERIES(TIMESTAMP '2026-03-01', DATE '2026-04-01' - INTERVAL '1 DAY', INTERVAL '1 MONTH') AS every(starts)
),
positive_lines_rows AS (
SELECT
  CAST(day AS DATE) AS on_day,
  NULLIF(city, 'Nowhere') AS by_city,
  amount AS v
FROM (WITH c AS (SELECT id, city FROM customers) SELECT l.day, l.amount, c.city FROM lines AS l LEFT JOIN c ON c.id = l.customer WHERE l.quantity > 0) AS source
WHERE day >= DATE '2026-03-01' AND day < DATE '2026-04-01'
),
days AS (
SELECT through, CAST(GENERATE_SERIES(CAST(since AS TIMESTAMP), through, INTERVAL '1 DAY') AS DATE) AS on_day
FROM (SELECT DISTINCT since, through FROM periods) AS spans
),
positive_lines_read AS (
SELECT
  spans.through,
  rows_read.by_city AS by_city,
  rows_read.v AS v
FROM positive_lines_rows AS rows_read
JOIN days AS spans ON spans.on_day = rows_read.on_day
),
positive_lines_answer AS (
SELECT
  spans.period,
  COALESCE(CAST(asked.own__by_city AS VARCHAR), 'Nowhere') AS member_1,
  asked_233d89
FROM periods AS spans
JOIN (
SELECT
  by_city AS own__by_city
  , through AS own__through
  , SUM(v) AS asked_233d89
FROM positive_lines_read positive_lines_read_src_10000
GROUP BY
  by_city
  , through
) AS asked ON asked.own__through = spans.through
)
SELECT
  period,
  member_1 AS "city",
  value_1 AS "value",
  value_2 AS "value_numerator",
  value_3 AS "value_denominator"
FROM (
  SELECT
    period,
    member_1,
    asked_233d89 AS value_1,
    CAST(NULL AS DOUBLE PRECISION) AS value_2,
    CAST(NULL AS DOUBLE PRECISION) AS value_3
  FROM positive_lines_answer
) AS answers
WHERE value_1 IS NOT NULL OR value_2 IS NOT NULL OR value_3 IS NOT NULL
ORDER BY 1, 2
