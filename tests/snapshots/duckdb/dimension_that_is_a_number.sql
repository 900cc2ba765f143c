WITH periods AS (
SELECT
  CAST(starts AS DATE) AS period,
  CAST(starts AS DATE) AS since,
  LEAST(CAST(starts + INTERVAL '1 MONTH' AS DATE), DATE '2026-02-01') - 1 AS through
FROM GENERATE_SERIES(TIMESTAMP '2026-01-01', DATE '2026-02-01' - INTERVAL '1 DAY', INTERVAL '1 MONTH') AS every(starts)
),
lines_rows AS (
SELECT
  CAST(day AS DATE) AS on_day,
  quantity AS by_units,
  amount AS v
FROM lines
WHERE day >= DATE '2026-01-01' AND day < DATE '2026-02-01'
),
days AS (
SELECT through, CAST(UNNEST(GENERATE_SERIES(CAST(since AS TIMESTAMP), through, INTERVAL '1 DAY')) AS DATE) AS on_day
FROM (SELECT DISTINCT since, through FROM periods) AS spans
),
lines_read AS (
SELECT
  spans.through,
  rows_read.by_units AS by_units,
  rows_read.v AS v
FROM lines_rows AS rows_read
JOIN days AS spans ON spans.on_day = rows_read.on_day
),
lines_answer AS (
SELECT
  spans.period,
  CAST(asked.own__by_units AS VARCHAR) AS member_1,
  sales_04d2df
FROM periods AS spans
JOIN (
SELECT
  by_units AS own__by_units
  , through AS own__through
  , SUM(v) AS sales_04d2df
FROM lines_read lines_read_src_10000
GROUP BY
  by_units
  , through
) AS asked ON asked.own__through = spans.through
)
SELECT
  period,
  member_1 AS "units",
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
