"""The embedded Postgres: started for whoever uses it, closed to everybody else, stopped when nobody is left.

    server.py      what the rest of the house calls: `use(home)`, `leave(home)`
    keeper.py      the process that starts Postgres, keeps it up while it has users, and stops it
    cluster.py     the data folder: made, taken over, its password and who may enter
    sockets.py     the folder of the socket: nobody else's, and short enough
    account.py     whom Postgres runs as where we are root
    processes.py   which processes are a Postgres of this folder
    failures.py    what stopped it, as one sentence
    layout.py      where everything lies

All but `server.py` run in the keeper, which starts without site-packages: the standard library is all that this room knows.
"""
