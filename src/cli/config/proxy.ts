/** `kilonova config proxy`: what a web server in front of the APIs needs to be told, as a file to include. */
import { isIPv6 } from 'node:net'
import { Fault } from '../../base/errors.ts'
import { standardPorts } from '../up/settings.ts'

export type ProxyKind = 'nginx' | 'haproxy' | 'apache'

export interface ProxyOptions {
  /** The address that clients connect to; `*` for all of the proxy's host. */
  listen: string
  /** Hosts that run the APIs: names or addresses. */
  backends: readonly string[]
  /** PEM files; without them clients speak plain HTTP. */
  tls: { certificate: string; key: string } | undefined
}

const apis = ['identity', 'image', 'placement', 'compute', 'network'] as const
type Api = (typeof apis)[number]

const portOf = (api: Api): number => standardPorts[api]

/** An image may take this long to be checked and stored after its last byte. */
const patienceSeconds = 600

/**
 * The ports are those of the APIs themselves, so that the catalog's URLs change in name and scheme only. Answers name
 * the address that the client used, which the proxy passes on as Host and X-Forwarded-Proto. Paths pass as they are
 * sent (names in them may hold an encoded slash), and images are not stored on the way.
 */
export function proxyFile(kind: ProxyKind, options: ProxyOptions): string {
  const unsafe = [options.listen, ...options.backends, ...Object.values(options.tls ?? {})].find((text) =>
    /[\s;{}"'#\\<>$]/.test(text),
  )
  if (unsafe !== undefined)
    throw new Fault('invalid', `${JSON.stringify(unsafe)} cannot stand in a configuration file.`)
  if (options.listen === '*' && options.backends.some(isThisHost)) {
    throw new Fault(
      'invalid',
      'The proxy and the APIs of its own host cannot have the same ports of the same address: name with --listen the address that clients use, and let the APIs listen on another (osapi_compute_listen, bind_host).',
    )
  }
  const head = `# The APIs of ${options.backends.join(', ')}, by kilonova config proxy ${kind}.\n`
  return `${head}${apis.map((api) => writers[kind](api, options)).join('\n')}`
}

const isThisHost = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host.startsWith('127.')

const at = (host: string, port: number): string => `${isIPv6(host) ? `[${host}]` : host}:${port}`

const writers: Readonly<Record<ProxyKind, (api: Api, options: ProxyOptions) => string>> = {
  nginx: (api, { listen, backends, tls }) => {
    const port = portOf(api)
    return `upstream kilonova-${api} {
${backends.map((host) => `    server ${at(host, port)};`).join('\n')}
    keepalive 32;
}
server {
    listen ${at(listen, port)}${tls === undefined ? '' : ' ssl'};
${tls === undefined ? '' : `    ssl_certificate ${tls.certificate};\n    ssl_certificate_key ${tls.key};\n`}    client_max_body_size 0;
    location / {
        proxy_pass http://kilonova-${api};
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_request_buffering off;
        proxy_buffering off;
        proxy_read_timeout ${patienceSeconds}s;
        proxy_send_timeout ${patienceSeconds}s;
    }
}
`
  },
  // haproxy wants certificate and key in one file, or the key beside it as CERTIFICATE.key.
  haproxy: (api, { listen, backends, tls }) => {
    const port = portOf(api)
    return `frontend kilonova-${api}
    mode http
    bind ${isIPv6(listen) ? `[${listen}]` : listen}:${port}${tls === undefined ? '' : ` ssl crt ${tls.certificate}`}
    timeout client ${patienceSeconds}s
    http-request set-header X-Forwarded-Proto ${tls === undefined ? 'http' : 'https'}
    default_backend kilonova-${api}
backend kilonova-${api}
    mode http
    balance leastconn
    timeout connect 5s
    timeout server ${patienceSeconds}s
    option httpchk GET /
    http-check expect rstatus ^(200|300)$
${backends.map((host, index) => `    server ${api}-${index + 1} ${at(host, port)} check`).join('\n')}
`
  },
  apache: (api, { listen, backends, tls }) => {
    const port = portOf(api)
    const target = backends.length === 1 ? `http://${at(backends[0]!, port)}` : `balancer://kilonova-${api}`
    const members =
      backends.length === 1
        ? ''
        : `    <Proxy ${target}>\n${backends.map((host) => `        BalancerMember http://${at(host, port)}`).join('\n')}\n    </Proxy>\n`
    return `Listen ${listen === '*' ? '' : `${isIPv6(listen) ? `[${listen}]` : listen}:`}${port}
<VirtualHost ${at(listen, port)}>
${tls === undefined ? '' : `    SSLEngine on\n    SSLCertificateFile ${tls.certificate}\n    SSLCertificateKeyFile ${tls.key}\n`}    AllowEncodedSlashes NoDecode
    ProxyPreserveHost On
    RequestHeader set X-Forwarded-Proto ${tls === undefined ? 'http' : 'https'}
    LimitRequestBody 0
${members}    ProxyPass / ${target}/ nocanon timeout=${patienceSeconds}
</VirtualHost>
`
  },
}

/** What the proxy must have or be told besides the file. */
export const proxyNeeds: Readonly<Record<ProxyKind, string>> = {
  nginx: 'Include it in the http block, for instance as /etc/nginx/conf.d/kilonova.conf.',
  haproxy:
    'Append it to /etc/haproxy/haproxy.cfg. The certificate file must hold the key, too, or it stands beside it as CERTIFICATE.key.',
  apache:
    'As /etc/apache2/conf-enabled/kilonova.conf or /etc/httpd/conf.d/kilonova.conf; it needs a2enmod proxy_http proxy_balancer lbmethod_byrequests headers ssl.',
}
