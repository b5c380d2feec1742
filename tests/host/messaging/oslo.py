"""The real oslo.messaging as peer of a test: `oslo.py serve|send|parse URL EXCHANGE DURABLE`; says one JSON value a line."""
import json
import logging
import os
import sys

from oslo_config import cfg
import oslo_messaging

mode, url, exchange, durable = sys.argv[1:5]
conf = cfg.CONF
conf([], project='test')


def say(value):
    print(json.dumps(value), flush=True)


def transport():
    oslo_messaging.set_transport_defaults(exchange)
    made = oslo_messaging.get_rpc_transport(conf, url)
    conf.set_override('amqp_durable_queues', durable == 'durable', group='oslo_messaging_rabbit')
    return made


class Endpoint:
    target = oslo_messaging.Target(version='1.2')

    def add(self, ctxt, x, y):
        return {'sum': x + y, 'request_id': ctxt.get('request_id')}

    def refuse(self, ctxt):
        raise oslo_messaging.exceptions.InvalidTarget('not now', None)

    def tell(self, ctxt, number):
        say({'told': number})


class Named(Endpoint):
    target = oslo_messaging.Target(namespace='names', version='3.0')

    def add(self, ctxt, x, y):
        return 'namespaced'


def serve():
    target = oslo_messaging.Target(topic='sums', server='python')
    server = oslo_messaging.get_rpc_server(transport(), target, [Named(), Endpoint()], executor='threading')
    server.start()
    say('ready')
    sys.stdin.read()
    server.stop()
    server.wait()


def send():
    target = oslo_messaging.Target(topic='sums', version='1.1')
    client = oslo_messaging.get_rpc_client(transport(), target, timeout=10)
    context = {'request_id': 'req-python', 'user_id': 'u1'}
    say(client.call(context, 'add', x=1, y=2))
    say(client.prepare(server='ours').call(context, 'add', x='ä', y='€'))
    say(client.prepare(timeout=20, call_monitor_timeout=1).call(context, 'dawdle'))
    for method in 'refuse', 'nowhere':
        try:
            client.call(context, method)
        except Exception as error:
            say([type(error).__name__, getattr(error, 'exc_type', None), getattr(error, 'value', str(error))])
    client.cast(context, 'tell', number=1)
    client.prepare(server='ours').cast(context, 'tell', number=2)
    client.prepare(fanout=True).cast(context, 'tell', number=3)


def parse():
    """What each URL on standard input means to oslo.messaging."""
    transport()
    for line in sys.stdin:
        parsed = oslo_messaging.TransportURL.parse(conf, line.strip())
        say({
            'virtualHost': parsed.virtual_host or '/',
            'query': parsed.query,
            'hosts': [{
                'hostname': host.hostname or 'localhost',
                'port': host.port or 5672,
                'username': host.username or 'guest',
                'password': host.password or 'guest',
            } for host in parsed.hosts],
        })


logging.disable(logging.CRITICAL)
{'serve': serve, 'send': send, 'parse': parse}[mode]()
# Its threads would wait some seconds for messages yet.
os._exit(0)
