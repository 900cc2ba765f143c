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
  store AS by_store,
  1 AS v,
  CASE WHEN gift THEN 'gift' ELSE 'own use' END AS by_kind
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
  rows_read.by_store AS by_store,
  rows_read.v AS v,
  rows_read.by_kind AS by_kind
FROM lines_rows AS rows_read
JOIN days AS spans ON spans.on_day = rows_read.on_day
),
lines_answer AS (
SELECT
  spans.period,
  CAST(asked.own__by_store AS VARCHAR) AS member_1,
  line_count_4b14c6,
  line_count_4b14c6_2
FROM periods AS spans
JOIN (
WITH sma_10001_cte AS (
  SELECT
    by_store AS own__by_store
    , by_kind AS own__by_kind
    , through AS own__through
    , CASE WHEN v IS NOT NULL THEN 1 ELSE 0 END AS __line_count_4b14c6
    , CASE WHEN v IS NOT NULL THEN 1 ELSE 0 END AS __line_count_4b14c6_2
  FROM lines_read lines_read_src_10000
)

SELECT
  COALESCE(subq_6.own__by_store, subq_11.own__by_store) AS own__by_store
  , COALESCE(subq_6.own__through, subq_11.own__through) AS own__through
  , MAX(subq_6.line_count_4b14c6) AS line_count_4b14c6
  , MAX(subq_11.line_count_4b14c6_2) AS line_count_4b14c6_2
FROM (
  SELECT
    own__by_store
    , own__through
    , SUM(line_count_4b14c6) AS line_count_4b14c6
  FROM (
    SELECT
      own__by_store
      , own__by_kind
      , own__through
      , __line_count_4b14c6 AS line_count_4b14c6
    FROM sma_10001_cte
  ) subq_2
  WHERE own__by_kind = 'gift'
  GROUP BY
    own__by_store
    , own__through
) subq_6
FULL OUTER JOIN (
  SELECT
    own__by_store
    , own__through
    , SUM(__line_count_4b14c6_2) AS line_count_4b14c6_2
  FROM sma_10001_cte
  GROUP BY
    own__by_store
    , own__through
) subq_11
ON
  (
    subq_6.own__by_store = subq_11.own__by_store
  ) AND (
    subq_6.own__through = subq_11.own__through
  )
GROUP BY
  COALESCE(subq_6.own__by_store, subq_11.own__by_store)
  , COALESCE(subq_6.own__through, subq_11.own__through)
) AS asked ON asked.own__through = spans.through
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
    CASE WHEN line_count_4b14c6 IS NOT NULL OR line_count_4b14c6_2 IS NOT NULL THEN (CAST(COALESCE(line_count_4b14c6, CASE WHEN line_count_4b14c6_2 IS NOT NULL THEN 0 END) AS DOUBLE PRECISION) / NULLIF(CAST(COALESCE(line_count_4b14c6_2, CASE WHEN line_count_4b14c6 IS NOT NULL THEN 0 END) AS DOUBLE PRECISION), 0)) END AS value_1,
    CASE WHEN line_count_4b14c6 IS NOT NULL OR line_count_4b14c6_2 IS NOT NULL THEN COALESCE(line_count_4b14c6, CASE WHEN line_count_4b14c6_2 IS NOT NULL THEN 0 END) END AS value_2,
    CASE WHEN line_count_4b14c6 IS NOT NULL OR line_count_4b14c6_2 IS NOT NULL THEN COALESCE(line_count_4b14c6_2, CASE WHEN line_count_4b14c6 IS NOT NULL THEN 0 END) END AS value_3
  FROM lines_answer
) AS answers
WHERE value_1 IS NOT NULL OR value_2 IS NOT NULL OR value_3 IS NOT NULL
ORDER BY 1, 2
