WITH periods AS (
SELECT
  CAST(starts AS DATE) AS period,
  CAST(starts AS DATE) AS since,
  LEAST(CAST(starts + INTERVAL '1 DAY' AS DATE), DATE '2026-03-10') - 1 AS through
FROM GENERATE_SERIES(TIMESTAMP '2026-03-01', DATE '2026-03-10' - INTERVAL '1 DAY', INTERVAL '1 DAY') AS every(starts)
),
events_rows AS (
SELECT
  CAST(day AS DATE) AS on_day,
  person AS of_person,
  1 AS v,
  kind AS by_kind
FROM events
WHERE day >= DATE '2026-03-01' AND day < DATE '2026-03-10'
),
days AS (
SELECT through, CAST(UNNEST(GENERATE_SERIES(CAST(since AS TIMESTAMP), through, INTERVAL '1 DAY')) AS DATE) AS on_day
FROM (SELECT DISTINCT since, through FROM periods) AS spans
),
events_rows_2 AS (
SELECT
  CAST(day AS DATE) AS on_day,
  person AS of_person,
  kind AS by_kind
FROM events
WHERE day >= DATE '2026-03-01' AND day < DATE '2026-03-18'
),
converted AS (
SELECT DISTINCT base.on_day, base.of_person
FROM (SELECT DISTINCT on_day, of_person FROM events_rows) AS base
JOIN (
SELECT
  own__on_day
  , own__of_person
  , SUM(events) AS events
FROM (
  SELECT
    by_kind AS own__by_kind
    , on_day AS own__on_day
    , of_person AS own__of_person
    , CASE WHEN on_day IS NOT NULL THEN 1 ELSE 0 END AS events
  FROM events_rows_2 events_rows_2_src_10000
) subq_2
WHERE own__by_kind = 'purchase'
GROUP BY
  own__on_day
  , own__of_person
) AS found
  ON found.own__of_person = base.of_person AND found.own__on_day >= base.on_day AND found.own__on_day < base.on_day + 7
),
events_read AS (
SELECT
  spans.through,
  rows_read.of_person AS of_person,
  rows_read.v AS v,
  rows_read.by_kind AS by_kind,
  CASE WHEN events_2.on_day IS NOT NULL THEN rows_read.v END AS v_events_2
FROM events_rows AS rows_read
JOIN days AS spans ON spans.on_day = rows_read.on_day
LEFT JOIN converted AS events_2 ON events_2.on_day = rows_read.on_day AND events_2.of_person = rows_read.of_person
),
events_answer AS (
SELECT
  spans.period,
  event_visits_8c63b3,
  asked_f0118c
FROM periods AS spans
JOIN (
SELECT
  own__through
  , SUM(event_visits_8c63b3) AS event_visits_8c63b3
  , SUM(asked_f0118c) AS asked_f0118c
FROM (
  SELECT
    by_kind AS own__by_kind
    , through AS own__through
    , CASE WHEN v IS NOT NULL THEN 1 ELSE 0 END AS event_visits_8c63b3
    , CASE WHEN v_events_2 IS NOT NULL THEN 1 ELSE 0 END AS asked_f0118c
  FROM events_read events_read_src_10000
) subq_2
WHERE own__by_kind = 'visit'
GROUP BY
  own__through
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
    (CAST(CASE WHEN COALESCE(event_visits_8c63b3, CASE WHEN asked_f0118c IS NOT NULL THEN 0 END) IS NOT NULL THEN COALESCE(COALESCE(asked_f0118c, CASE WHEN event_visits_8c63b3 IS NOT NULL THEN 0 END), 0) END AS DOUBLE PRECISION) / NULLIF(CAST(COALESCE(event_visits_8c63b3, CASE WHEN asked_f0118c IS NOT NULL THEN 0 END) AS DOUBLE PRECISION), 0)) AS value_1,
    CASE WHEN COALESCE(event_visits_8c63b3, CASE WHEN asked_f0118c IS NOT NULL THEN 0 END) IS NOT NULL THEN COALESCE(COALESCE(asked_f0118c, CASE WHEN event_visits_8c63b3 IS NOT NULL THEN 0 END), 0) END AS value_2,
    COALESCE(event_visits_8c63b3, CASE WHEN asked_f0118c IS NOT NULL THEN 0 END) AS value_3
  FROM periods LEFT JOIN events_answer USING (period)
) AS answers
WHERE value_1 IS NOT NULL OR value_2 IS NOT NULL OR value_3 IS NOT NULL
ORDER BY 1
