WITH periods AS (
SELECT
  CAST(starts AS DATE) AS period,
  CAST(starts AS DATE) AS since,
  LEAST(CAST(starts + INTERVAL '1 DAY' AS DATE), DATE '2026-03-05') - 1 AS through
FROM GENERATE_SERIES(TIMESTAMP '2026-03-01', DATE '2026-03-05' - INTERVAL '1 DAY', INTERVAL '1 DAY') AS every(starts)
),
visits_rows AS (
SELECT
  CAST(day AS DATE) AS on_day,
  1 AS v
FROM visits
WHERE day >= DATE '2026-03-01' AND day < DATE '2026-03-05'
),
days AS (
SELECT through, CAST(UNNEST(GENERATE_SERIES(CAST(since AS TIMESTAMP), through, INTERVAL '1 DAY')) AS DATE) AS on_day
FROM (SELECT DISTINCT since, through FROM periods) AS spans
),
visits_read AS (
SELECT
  spans.through,
  rows_read.v AS v
FROM visits_rows AS rows_read
JOIN days AS spans ON spans.on_day = rows_read.on_day
),
visits_answer AS (
SELECT
  spans.period,
  visit_count_24ba0e
FROM periods AS spans
JOIN (
SELECT
  own__through
  , SUM(__visit_count_24ba0e) AS visit_count_24ba0e
FROM (
  SELECT
    through AS own__through
    , CASE WHEN v IS NOT NULL THEN 1 ELSE 0 END AS __visit_count_24ba0e
  FROM visits_read visits_read_src_10000
) subq_3
GROUP BY
  own__through
) AS asked ON asked.own__through = spans.through
),
lines_rows AS (
SELECT
  CAST(day AS DATE) AS on_day,
  basket AS v
FROM lines
WHERE day >= DATE '2026-03-01' AND day < DATE '2026-03-05'
),
lines_read AS (
SELECT
  spans.through,
  rows_read.v AS v
FROM lines_rows AS rows_read
JOIN days AS spans ON spans.on_day = rows_read.on_day
),
lines_answer AS (
SELECT
  spans.period,
  baskets_6aabbd
FROM periods AS spans
JOIN (
SELECT
  through AS own__through
  , COUNT(DISTINCT v) AS baskets_6aabbd
FROM lines_read lines_read_src_10000
GROUP BY
  through
) AS asked ON asked.own__through = spans.through
)
SELECT
  period,
  value_1 AS "value",
  value_2 AS "value_numerator",
  value_3 AS "value_denominator"
FROM (
  SELECT
    period,
    (CAST(visit_count_24ba0e AS DOUBLE PRECISION) / NULLIF(CAST(baskets_6aabbd AS DOUBLE PRECISION), 0)) AS value_1,
    visit_count_24ba0e AS value_2,
    baskets_6aabbd AS value_3
  FROM periods LEFT JOIN visits_answer USING (period) LEFT JOIN lines_answer USING (period)
) AS answers
WHERE value_1 IS NOT NULL OR value_2 IS NOT NULL OR value_3 IS NOT NULL
ORDER BY 1
