-- A month has the weeks whose Monday lies in it.
-- display: display
-- mailer: mailer
SELECT date_trunc($grain, week_from) AS period, {member} AS member, COUNT(*) AS value
FROM shop.promotions
WHERE week_from >= $start AND week_from < $until
GROUP BY ALL
