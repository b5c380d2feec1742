"""Reads each case with oslo.config itself: cases as JSON on standard input, values as JSON on standard output."""
import json
import os
import sys
import tempfile

from oslo_config import cfg
from oslo_config import types

OPTIONS = [
    (None, cfg.StrOpt('my_ip', default='127.0.0.1')),
    (None, cfg.BoolOpt('debug', default=False)),
    (None, cfg.IntOpt('workers', min=1, max=64, deprecated_name='procs', deprecated_group='api')),
    (None, cfg.FloatOpt('ratio', default=1.5, min=0)),
    (None, cfg.StrOpt('text')),
    (None, cfg.StrOpt('state_path', default='/var/lib/nova')),
    (None, cfg.StrOpt('instances_path', default='$state_path/instances')),
    ('vnc', cfg.StrOpt('server_listen', default='$my_ip', deprecated_name='vncserver_listen')),
    ('vnc', cfg.StrOpt('base_url', default='http://${vnc.server_listen}:6080')),
    ('pci', cfg.MultiStrOpt('alias', default=[], deprecated_group='DEFAULT', deprecated_name='pci_alias')),
    ('scheduler', cfg.ListOpt('filters', default=['a', 'b'])),
    ('scheduler', cfg.ListOpt('numbers', item_type=types.Integer(), default=[])),
    ('ml2', cfg.DictOpt('mappings', default={})),
    ('libvirt', cfg.StrOpt('virt_type', default='kvm', choices=['kvm', 'qemu'])),
    ('api', cfg.PortOpt('port', default=8774)),
    ('keystone_authtoken', cfg.StrOpt('user_name', deprecated_opts=[cfg.DeprecatedOpt('user-name')])),
]


def read(case):
    with tempfile.TemporaryDirectory() as directory:
        arguments = []
        for index, content in enumerate(case['files']):
            path = os.path.join(directory, '%d.conf' % index)
            with open(path, 'w') as file:
                file.write(content)
            arguments += ['--config-file', path]
        for name, value in case.get('environment', {}).items():
            os.environ[name] = value
        try:
            conf = cfg.ConfigOpts()
            for group, option in OPTIONS:
                conf.register_opt(option, group=group)
            conf(arguments, project='nova', default_config_dirs=[])
            return {
                '%s.%s' % (group or 'DEFAULT', option.dest): conf[group][option.dest] if group else conf[option.dest]
                for group, option in OPTIONS
            }
        except Exception as error:
            return {'error': '%s: %s' % (type(error).__name__, error)}
        finally:
            for name in case.get('environment', {}):
                del os.environ[name]


json.dump([read(case) for case in json.load(sys.stdin)], sys.stdout)
