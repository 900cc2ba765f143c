WITH periods_2 AS (
SELECT
  CAST(starts AS DATE) AS period,
  CAST(starts AS DATE) AS since,
  LEAST(CAST(starts + INTERVAL '1 DAY' AS DATE), DATE '2026-03-03') - 1 AS through
FROM GENERATE_SERIES(TIMESTAMP '2026-03-01', DATE '2026-03-03' - INTERVAL '1 DAY', INTERVAL '1 DAY') AS every(starts)
),
odd_names_rows AS (
SELECT
  CAST(on_day AS DATE) AS on_day,
  "group" AS by_group,
  "user" AS by_period,
  val AS v
FROM periods
WHERE on_day >= DATE '2026-03-01' AND on_day < DATE '2026-03-03'
),
days AS (
SELECT through, CAST(GENERATE_SERIES(CAST(since AS TIMESTAMP), through, INTERVAL '1 DAY') AS DATE) AS on_day
FROM (SELECT DISTINCT since, through FROM periods_2) AS spans
),
odd_names_read AS (
SELECT
  spans.through,
  rows_read.by_group AS by_group,
  rows_read.by_period AS by_period,
  rows_read.v AS v
FROM odd_names_rows AS rows_read
JOIN days AS spans ON spans.on_day = rows_read.on_day
),
odd_names_answer AS (
SELECT
  spans.period,
  CAST(asked.own__by_group AS VARCHAR) AS member_1,
  CAST(asked.own__by_period AS VARCHAR) AS member_2,
  asked_d299c9
FROM periods_2 AS spans
JOIN (
SELECT
  own__by_group
  , own__by_period
  , own__through
  , SUM(asked_d299c9) AS asked_d299c9
FROM (
  SELECT
    by_group AS own__by_group
    , by_period AS own__by_period
    , through AS own__through
    , v AS asked_d299c9
  FROM odd_names_read odd_names_read_src_10000
) subq_2
WHERE own__by_group <> 'g3'
GROUP BY
  own__by_group
  , own__by_period
  , own__through
) AS asked ON asked.own__through = spans.through
)
SELECT
  period,
  member_1 AS "group",
  member_2 AS "period",
  value_1 AS "value",
  value_2 AS "value_numerator",
  value_3 AS "value_denominator"
FROM (
  SELECT
    period,
    member_1,
    member_2,
    asked_d299c9 AS value_1,
    CAST(NULL AS DOUBLE PRECISION) AS value_2,
    CAST(NULL AS DOUBLE PRECISION) AS value_3
  FROM odd_names_answer
) AS answers
WHERE value_1 IS NOT NULL OR value_2 IS NOT NULL OR value_3 IS NOT NULL
ORDER BY 1, 2, 3
