-- Counts tickets and broken promises of the help-desk log by service level, without Remit: DuckDB over the same CSV.
-- Run from the folder that holds finale.csv:  duckdb < count.sql
--
-- A ticket opens with its first event and is resolved by its last "Resolve ticket". Its service level is that of its
-- first event. The limits are calendar days on the wall clock of Europe/Rome, in which the log is written, so adding
-- days to its timestamps is exactly that. The promise is broken when the limit passes before the ticket is resolved;
-- tickets that are never resolved are judged at the start of 2014-01-04, the day after the last event.

CREATE TEMP TABLE event AS
SELECT row_number() OVER () AS line, column00 AS ticket, column01 AS activity,
       strptime(column03, '%Y/%m/%d %H:%M:%S.%g') AS happened, column12 AS level
FROM read_csv('finale.csv', header = false, skip = 1, all_varchar = true);

CREATE TEMP TABLE promise (level VARCHAR, days INTEGER);
INSERT INTO promise VALUES ('Value 1', 30), ('Value 2', 45), ('Value 3', 15), ('Value 4', 25);

CREATE TEMP TABLE ticket AS
SELECT ticket,
       min(happened) AS opened,
       max(happened) FILTER (activity = 'Resolve ticket') AS resolved,
       arg_min(level, (happened, line)) AS level
FROM event
GROUP BY ticket;

SELECT level,
       days AS limit_days,
       count(*) AS tickets,
       count(*) - count(resolved) AS never_resolved,
       count(*) FILTER (
           opened + to_days(days) < least(coalesce(resolved, TIMESTAMP '2014-01-04'), TIMESTAMP '2014-01-04')
       ) AS broken,
       count(*) FILTER (resolved = opened + to_days(days)) AS exactly_at_limit
FROM ticket JOIN promise USING (level)
GROUP BY level, days
ORDER BY level;
