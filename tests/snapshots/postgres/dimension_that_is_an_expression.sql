WITH periods AS (
SELECT
  CAST(starts AS DATE) AS period,
  CAST(starts AS DATE) AS since,
  LEAST(CAST(starts + INTERVAL '1 MONTH' AS DATE), DATE '2026-04-01') - 1 AS through
FROM GENERATE_SERIES(TIMESTAMP '2026-03-01', DATE '2026-04-01' - INTERVAL '1 DAY', INTERVAL '1 MONTH') AS every(starts)
),
lines_rows AS (
SELECT
  CAST(day AS DATE) AS on_day,
  CASE WHEN gift THEN 'gift' ELSE 'own use' END AS by_kind,
  amount AS v
FROM lines
WHERE day >= DATE '2026-03-01' AND day < DATE '2026-04-01'
),
days AS (
SELECT through, CAST(GENERATE_SERIES(CAST(since AS TIMESTAMP), through, INTERVAL '1 DAY') AS DATE) AS on_day
FROM (SELECT DISTINCT since, through FROM periods) AS spans
),
lines_read AS (
SELECT
  spans.through,
  rows_read.by_kind AS by_kind,
  rows_read.v AS v
FROM lines_rows AS rows_read
JOIN days AS spans ON spans.on_day = rows_read.on_day
),
lines_answer AS (
SELECT
  spans.period,
  CAST(asked.own__by_kind AS VARCHAR) AS member_1,
  sales_04d2df
FROM periods AS spans
JOIN (
SELECT
  by_kind AS own__by_kind
  , through AS own__through
  , SUM(v) AS sales_04d2df
FROM lines_read lines_read_src_10000
GROUP BY
  by_kind
  , through
) AS asked ON asked.own__through = spans.through
)
SELECT
  period,
  member_1 AS "kind",
  value_1 AS "value",
  value_2 AS "value_numerator",
  value_3 AS "value_denominator"
FROM (
  SELECT
    period,
    member_1,
    sales_04d2df AS value_1,
    CAST(NULL AS DOUBLE PRECISION) AS value_2,
    CAST(NULL AS DOUBLE PRECISION) AS value_3
  FROM lines_answer
) AS answers
WHERE value_1 IS NOT NULL OR value_2 IS NOT NULL OR value_3 IS NOT NULL
ORDER BY 1, 2
