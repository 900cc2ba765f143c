WITH periods AS (
SELECT
  CAST(starts AS DATE) AS period,
  CAST(starts AS DATE) AS since,
  LEAST(CAST(starts + INTERVAL '1 MONTH' AS DATE), DATE '2026-04-01') - 1 AS through
FROM GENERATE_SERIES(TIMESTAMP '2026-03-01', DATE '2026-04-01' - INTERVAL '1 DAY', INTERVAL '1 MONTH') AS every(starts)
),
mailings_rows AS (
SELECT
  CAST(sent AS DATE) AS on_day,
  customer AS to_customer,
  customer AS of_customer,
  1 AS v
FROM mailings
WHERE sent >= DATE '2026-03-01' AND sent < DATE '2026-04-01'
),
customers_2 AS (
SELECT
  id AS to_customer,
  city AS by_city
FROM customers
),
days AS (
SELECT through, CAST(GENERATE_SERIES(CAST(since AS TIMESTAMP), through, INTERVAL '1 DAY') AS DATE) AS on_day
FROM (SELECT DISTINCT since, through FROM periods) AS spans
),
redemptions_rows AS (
SELECT
  CAST(day AS DATE) AS on_day,
  customer AS of_customer
FROM redemptions
WHERE day >= DATE '2026-03-01' AND day < DATE '2026-04-09'
),
converted AS (
SELECT DISTINCT base.on_day, base.of_customer
FROM (SELECT DISTINCT on_day, of_customer FROM mailings_rows) AS base
JOIN (
SELECT
  own__on_day
  , own__of_customer
  , SUM(__events) AS events
FROM (
  SELECT
    on_day AS own__on_day
    , of_customer AS own__of_customer
    , CASE WHEN on_day IS NOT NULL THEN 1 ELSE 0 END AS __events
  FROM redemptions_rows redemptions_rows_src_10000
) subq_3
GROUP BY
  own__on_day
  , own__of_customer
) AS found
  ON found.own__of_customer = base.of_customer AND found.own__on_day >= base.on_day AND found.own__on_day < base.on_day + 7
),
mailings_read AS (
SELECT
  spans.through,
  rows_read.to_customer AS to_customer,
  rows_read.of_customer AS of_customer,
  rows_read.v AS v,
  CASE WHEN events.on_day IS NOT NULL THEN rows_read.v END AS v_events
FROM mailings_rows AS rows_read
JOIN days AS spans ON spans.on_day = rows_read.on_day
LEFT JOIN converted AS events ON events.on_day = rows_read.on_day AND events.of_customer = rows_read.of_customer
),
mailings_answer AS (
SELECT
  spans.period,
  CAST(asked.to_customer__by_city AS VARCHAR) AS member_1,
  mailed_4789ae,
  asked_f32ff5
FROM periods AS spans
JOIN (
SELECT
  subq_1.own__through AS own__through
  , customers_2_src_10000.by_city AS to_customer__by_city
  , SUM(subq_1.__mailed_4789ae) AS mailed_4789ae
  , SUM(subq_1.__asked_f32ff5) AS asked_f32ff5
FROM (
  SELECT
    to_customer
    , through AS own__through
    , CASE WHEN v IS NOT NULL THEN 1 ELSE 0 END AS __mailed_4789ae
    , CASE WHEN v_events IS NOT NULL THEN 1 ELSE 0 END AS __asked_f32ff5
  FROM mailings_read mailings_read_src_10000
) subq_1
LEFT OUTER JOIN
  customers_2 customers_2_src_10000
ON
  subq_1.to_customer = customers_2_src_10000.to_customer
GROUP BY
  subq_1.own__through
  , customers_2_src_10000.by_city
) AS asked ON asked.own__through = spans.through
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
    CASE WHEN mailed_4789ae IS NOT NULL OR asked_f32ff5 IS NOT NULL THEN (CAST(CASE WHEN COALESCE(mailed_4789ae, CASE WHEN asked_f32ff5 IS NOT NULL THEN 0 END) IS NOT NULL THEN COALESCE(COALESCE(asked_f32ff5, CASE WHEN mailed_4789ae IS NOT NULL THEN 0 END), 0) END AS DOUBLE PRECISION) / NULLIF(CAST(COALESCE(mailed_4789ae, CASE WHEN asked_f32ff5 IS NOT NULL THEN 0 END) AS DOUBLE PRECISION), 0)) END AS value_1,
    CASE WHEN mailed_4789ae IS NOT NULL OR asked_f32ff5 IS NOT NULL THEN CASE WHEN COALESCE(mailed_4789ae, CASE WHEN asked_f32ff5 IS NOT NULL THEN 0 END) IS NOT NULL THEN COALESCE(COALESCE(asked_f32ff5, CASE WHEN mailed_4789ae IS NOT NULL THEN 0 END), 0) END END AS value_2,
    CASE WHEN mailed_4789ae IS NOT NULL OR asked_f32ff5 IS NOT NULL THEN COALESCE(mailed_4789ae, CASE WHEN asked_f32ff5 IS NOT NULL THEN 0 END) END AS value_3
  FROM mailings_answer
) AS answers
WHERE value_1 IS NOT NULL OR value_2 IS NOT NULL OR value_3 IS NOT NULL
ORDER BY 1, 2
