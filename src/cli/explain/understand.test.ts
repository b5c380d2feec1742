import assert from 'node:assert/strict'
import { test } from 'node:test'
import { understand } from './understand.ts'

/** As the installation guide's web page has them, and as they were meant. */
const pasted: readonly (readonly [page: string, meant: string])[] = [
  [
    '[root@controller ~]# openstack user create --domaindefault --password-prompt nova',
    'openstack user create --domain default --password-prompt nova',
  ],
  [
    '[root@controller ~]# openstack role add --projectservice --user nova admin',
    'openstack role add --project service --user nova admin',
  ],
  [
    'openstack service create --namenova --description “OpenStack Compute” compute',
    'openstack service create --name nova --description "OpenStack Compute" compute',
  ],
  [
    'openstack endpoint create --regionRegionOne compute public http://controller:8774/v2.1',
    'openstack endpoint create --region RegionOne compute public http://controller:8774/v2.1',
  ],
  [
    'su -s /bin/sh -c “nova-managecell_v2 create_cell --name=cell1 --verbose” nova',
    'su -s /bin/sh -c "nova-manage cell_v2 create_cell --name=cell1 --verbose" nova',
  ],
  ['su -s /bin/sh -c “nova-manageapi_db sync” nova', 'su -s /bin/sh -c "nova-manage api_db sync" nova'],
  ['su -s /bin/sh -c “nova-managedb sync” nova', 'su -s /bin/sh -c "nova-manage db sync" nova'],
  [
    '[root@controller ~]# openstack compute service list–service nova-compute',
    'openstack compute service list --service nova-compute',
  ],
  [
    'systemctl start openstack-nova-apiopenstack-nova-consoleauth openstack-nova-scheduler',
    'systemctl start openstack-nova-api openstack-nova-consoleauth openstack-nova-scheduler',
  ],
  [
    'systemctl enable neutron-server.service neutron-linuxbridge-agent.serviceneutron-dhcp-agent.service',
    'systemctl enable neutron-server.service neutron-linuxbridge-agent.service neutron-dhcp-agent.service',
  ],
  [
    'yum installopenstack-neutron-linuxbridge ebtables ipset',
    'yum install openstack-neutron-linuxbridge ebtables ipset',
  ],
  ['rpm -ivhhttps://repos.example.org/rdo.rpm', 'rpm -ivh https://repos.example.org/rdo.rpm'],
  [
    'ln -s /etc/neutron/plugins/ml2/ml2_conf.ini/etc/neutron/plugin.ini',
    'ln -s /etc/neutron/plugins/ml2/ml2_conf.ini /etc/neutron/plugin.ini',
  ],
  [
    'su -s /bin/sh -c"neutron-db-manage --config-file /etc/neutron/neutron.conf --config-file/etc/neutron/plugins/ml2/ml2_conf.ini upgrade head" neutron',
    'su -s /bin/sh -c"neutron-db-manage --config-file /etc/neutron/neutron.conf --config-file /etc/neutron/plugins/ml2/ml2_conf.ini upgrade head" neutron',
  ],
  [
    'MariaDB [(none)]> GRANT ALL PRIVILEGES ON nova_api.*TO ‘nova’@‘localhost’ IDENTIFIED BY ‘nova’',
    "GRANT ALL PRIVILEGES ON nova_api.* TO 'nova'@'localhost' IDENTIFIED BY 'nova';",
  ],
  [
    'MariaDB [(none)]> GRANT ALL PRIVILEGES ON nova.* TO’nova’@’%’ IDENTIFIED BY ‘nova’;',
    "GRANT ALL PRIVILEGES ON nova.* TO 'nova'@'%' IDENTIFIED BY 'nova';",
  ],
  [
    'mysql -uneutron -pneutron -e"use neutron; show tables;" //查看同步的数据库',
    'mysql -uneutron -pneutron -e"use neutron; show tables;"',
  ],
]

test("commands as a guide's web page has them are understood as they were meant", () => {
  for (const [page, meant] of pasted) assert.equal(understand(page).command, meant)
})

test('what is written rightly stays as it is', () => {
  const right = [
    ...pasted.map(([, meant]) => meant),
    'openstack server create --image cirros --nic none --wait one',
  ]
  for (const command of right) assert.deepEqual(understand(command), { command, slips: [] })
})

test('each slip is named with what it was and became', () => {
  assert.deepEqual(understand('openstack user create --domaindefault nova').slips, [
    { was: '--domaindefault', now: '--domain default', what: 'a lost space behind an option' },
  ])
})
