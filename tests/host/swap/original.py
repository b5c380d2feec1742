"""Runs a program of an OpenStack package by its name, as the package's own script in /usr/bin does.

original.py PROGRAM ARGUMENT...     for a console script: nova-api, neutron-db-manage, ...
original.py PROGRAM --port PORT     for a WSGI script: placement-api, keystone-wsgi-public
"""
import importlib.metadata
import sys

name = sys.argv[1]
distributions = ("keystone", "glance", "openstack-placement", "neutron", "nova")
scripts = {
    point.name: point
    for distribution in distributions
    for point in importlib.metadata.distribution(distribution).entry_points
    if point.group in ("console_scripts", "wsgi_scripts")
}
script = scripts[name]
sys.argv = [name, *sys.argv[2:]]

if script.group == "console_scripts":
    sys.exit(script.load()())

from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer, make_server

port = int(sys.argv[2])
sys.argv = [name]


class Server(ThreadingMixIn, WSGIServer):
    """Answers several callers at once, who may wait for each other."""

    daemon_threads = True
    request_queue_size = 128


make_server("0.0.0.0", port, script.load()(), Server).serve_forever()
