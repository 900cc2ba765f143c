-- mailer: mailer
SELECT date_trunc($grain, week_from) AS period, {member} AS member,
       COUNT(*) FILTER (WHERE display <> 'Not on display')::DOUBLE / COUNT(*) AS value
FROM shop.promotions
WHERE week_from >= $start AND week_from < $until
GROUP BY ALL
