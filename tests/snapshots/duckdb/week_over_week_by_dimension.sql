WITH periods AS (
SELECT
  CAST(starts AS DATE) AS period,
  CAST(starts AS DATE) AS since,
  LEAST(CAST(starts + INTERVAL '7 DAY' AS DATE), DATE '2026-03-16') - 1 AS through
FROM GENERATE_SERIES(TIMESTAMP '2026-03-02', DATE '2026-03-16' - INTERVAL '1 DAY', INTERVAL '7 DAY') AS every(starts)
),
lines_rows AS (
SELECT
  CAST(day AS DATE) AS on_day,
  store AS by_store,
  amount AS v
FROM lines
WHERE day >= DATE '2026-03-02' AND day < DATE '2026-03-16'
),
days AS (
SELECT through, CAST(UNNEST(GENERATE_SERIES(CAST(since AS TIMESTAMP), through, INTERVAL '1 DAY')) AS DATE) AS on_day
FROM (SELECT DISTINCT since, through FROM periods) AS spans
),
lines_read AS (
SELECT
  spans.through,
  rows_read.by_store AS by_store,
  rows_read.v AS v
FROM lines_rows AS rows_read
JOIN days AS spans ON spans.on_day = rows_read.on_day
),
lines_answer AS (
SELECT
  spans.period,
  CAST(asked.own__by_store AS VARCHAR) AS member_1,
  filled_sales_a78b25
FROM periods AS spans
JOIN (
SELECT
  by_store AS own__by_store
  , through AS own__through
  , SUM(v) AS filled_sales_a78b25
FROM lines_read lines_read_src_10000
GROUP BY
  by_store
  , through
) AS asked ON asked.own__through = spans.through
),
lines_rows_2 AS (
SELECT
  CAST(day AS DATE) AS on_day,
  store AS by_store,
  amount AS v
FROM lines
WHERE day >= DATE '2026-02-23' AND day < DATE '2026-03-09'
),
spans AS (
SELECT period, since - 7 AS since, through - 7 AS through
FROM periods
),
days_2 AS (
SELECT through, CAST(UNNEST(GENERATE_SERIES(CAST(since AS TIMESTAMP), through, INTERVAL '1 DAY')) AS DATE) AS on_day
FROM (SELECT DISTINCT since, through FROM spans) AS spans
),
lines_read_2 AS (
SELECT
  spans.through,
  rows_read.by_store AS by_store,
  rows_read.v AS v
FROM lines_rows_2 AS rows_read
JOIN days_2 AS spans ON spans.on_day = rows_read.on_day
),
lines_answer_2 AS (
SELECT
  spans.period,
  CAST(asked.own__by_store AS VARCHAR) AS member_1,
  filled_sales_a78b25_2
FROM spans AS spans
JOIN (
SELECT
  by_store AS own__by_store
  , through AS own__through
  , SUM(v) AS filled_sales_a78b25_2
FROM lines_read_2 lines_read_2_src_10000
GROUP BY
  by_store
  , through
) AS asked ON asked.own__through = spans.through
),
merged AS (
SELECT
  COALESCE(lines_answer.period, lines_answer_2.period) AS period,
  COALESCE(lines_answer.member_1, lines_answer_2.member_1) AS member_1,
  MAX(lines_answer.filled_sales_a78b25) AS filled_sales_a78b25,
  MAX(lines_answer_2.filled_sales_a78b25_2) AS filled_sales_a78b25_2
FROM lines_answer
FULL JOIN lines_answer_2 ON lines_answer.period = lines_answer_2.period AND lines_answer.member_1 = lines_answer_2.member_1
GROUP BY COALESCE(lines_answer.period, lines_answer_2.period), COALESCE(lines_answer.member_1, lines_answer_2.member_1)
)
SELECT
  period,
  member_1 AS "store",
  value_1 AS "value",
  value_2 AS "value_numerator",
  value_3 AS "value_denominator"
FROM (
  SELECT
    period,
    member_1,
    CASE WHEN filled_sales_a78b25 IS NOT NULL OR filled_sales_a78b25_2 IS NOT NULL THEN ((COALESCE(filled_sales_a78b25, 0)) - (COALESCE(filled_sales_a78b25_2, 0))) END AS value_1,
    CAST(NULL AS DOUBLE PRECISION) AS value_2,
    CAST(NULL AS DOUBLE PRECISION) AS value_3
  FROM merged
) AS answers
WHERE value_1 IS NOT NULL OR value_2 IS NOT NULL OR value_3 IS NOT NULL
ORDER BY 1, 2
