"""A small worker on a table of jobs, to be measured: posts each and deletes it.

worker.py DATABASE                    make the table
worker.py DATABASE RECEIVER DIRECTION take jobs by their ids, `asc` or `desc`, until told to stop;
                                      `gone`: end at once
"""

import http.client
import sys
import urllib.parse

import psycopg

TABLE = "CREATE TABLE IF NOT EXISTS job (id bigint, lane text, body text NOT NULL)"
TAKE = """
DELETE FROM job WHERE id IN (SELECT id FROM job ORDER BY id {} LIMIT 50)
RETURNING id, body
"""

database, *rest = sys.argv[1:]
link = psycopg.connect(database)
if not rest:
    link.execute(TABLE)
    link.commit()
    sys.exit()

receiver, direction = urllib.parse.urlsplit(rest[0]), rest[1]
if direction == "gone":
    sys.exit("there is nothing for me to do")
http_link = http.client.HTTPConnection(receiver.netloc)
while True:
    jobs = link.execute(TAKE.format(direction)).fetchall()
    for _, body in sorted(jobs, reverse=direction == "desc"):
        http_link.request("POST", receiver.path, body)
        answer = http_link.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
    link.commit()
