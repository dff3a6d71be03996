-- Names the tickets that a limit of 10 instead of 15 days on service level "Value 3" touches, without Remit: DuckDB over
-- the same CSV. Run from the folder that holds finale.csv:  duckdb < plan.sql
--
-- As in count.sql a ticket opens with its first event, is resolved by its last "Resolve ticket", and the days are those
-- of the wall clock of Europe/Rome. A limit is broken when it passes before the ticket is resolved. The plan is asked
-- for at the start of 2014-01-04 and looks 30 days ahead, so a ticket that is never resolved breaks a limit that passes
-- up to 2014-02-03. "added": broken under the new limit only. "changed": broken under both, earlier under the new.

CREATE TEMP TABLE event AS
SELECT row_number() OVER () AS line, column00 AS ticket, column01 AS activity,
       strptime(column03, '%Y/%m/%d %H:%M:%S.%g') AS happened, column12 AS level
FROM read_csv('finale.csv', header = false, skip = 1, all_varchar = true);

CREATE TEMP TABLE ticket AS
SELECT ticket,
       min(happened) AS opened,
       max(happened) FILTER (activity = 'Resolve ticket') AS resolved,
       arg_min(level, (happened, line)) AS level
FROM event
GROUP BY ticket;

CREATE TEMP TABLE promise AS
SELECT ticket, opened + to_days(15) AS before, opened + to_days(10) AS after,
       coalesce(resolved, TIMESTAMP '9999-01-01') AS resolved
FROM ticket
WHERE level = 'Value 3';

SELECT CASE WHEN before < resolved AND before <= TIMESTAMP '2014-02-03' THEN 'changed' ELSE 'added' END AS what,
       ticket, before, after
FROM promise
WHERE after < resolved AND after <= TIMESTAMP '2014-02-03'
ORDER BY what, after, ticket;
