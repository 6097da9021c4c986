/** Answers of HAProxy 2.6 and tables of the kernel, as values. */
import { expect, it } from 'vitest';
import {
  parseFrontends,
  parseInfo,
  parseMap,
  parseMapVersion,
  parseProcesses,
  parseServers,
  parseSessionCounts,
  parseSessions,
} from '../../../agent/gateway/parse.ts';
import { parseListening } from '../../../agent/gateway/port-holder.ts';

it('the process list, with a failed reload and an old worker', () => {
  const text = `#<PID>          <type>          <reloads>       <uptime>        <version>
19373           master          3 [failed: 1]   0d00h01m05s     2.6.12-1+deb12u4
# workers
20704           worker          0               0d00h00m00s     2.6.12-1+deb12u4
# old workers
19376           worker          1               0d00h01m05s     2.6.12-1+deb12u4
19377           worker          2               0d00h01m05s     2.6.12-1+deb12u4
# programs

`;
  expect(parseProcesses(text)).toEqual({
    master: 19373,
    reloads: 3,
    failedReloads: 1,
    workers: [20704],
    oldWorkers: [19376, 19377],
  });
  expect(parseProcesses('')).toBeNull();
});

it('what a worker says of itself', () => {
  const text =
    'Name: HAProxy\nPid: 19376\nnode: vm\ndescription: slipway 0badcafe shape 0123abcd\nStopping: 1\nJobs: 4\n';
  expect(parseInfo(text)).toEqual({ pid: 19376, shape: '0123abcd', stopping: true });
  expect(parseInfo('Pid: 1\nStopping: 0\n')).toEqual({ pid: 1, shape: '', stopping: false });
  expect(parseInfo("Can't find the target PID")).toBeNull();
});

it('servers, but not the handover to a successor', () => {
  const text = `1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port
2 handover 1 successor unix@/x 2 0 1 1 32 1 0 2 0 0 0 0 - 0 - 0 0 - - 0
3 b0 1 s1 127.0.0.1 2 0 100 100 32 6 3 3 6 0 0 0 - 19001 - 0 0 - - 0
3 b0 2 s2 127.0.0.1 0 1 1 1 0 1 0 0 2 0 0 0 - 19002 - 0 0 - - 0
4 b1 1 s3 10.0.0.7 2 8 1 1 0 1 0 0 2 0 0 0 - 80 - 0 0 - - 0

`;
  expect(parseServers(text)).toEqual([
    { section: 'b0', id: 's1', address: '127.0.0.1', port: 19001, up: true, admin: 'ready' },
    { section: 'b0', id: 's2', address: '127.0.0.1', port: 19002, up: false, admin: 'maint' },
    { section: 'b1', id: 's3', address: '10.0.0.7', port: 80, up: true, admin: 'drain' },
  ]);
});

it('sessions of the servers of a section, and frontends', () => {
  const text = '# pxname,svname,qcur,qmax,scur,smax,\nb0,s1,0,0,7,9,\nb0,s2,0,0,0,9,\n\n';
  expect(parseSessionCounts(text)).toEqual(
    new Map([
      ['s1', 7],
      ['s2', 0],
    ]),
  );
  expect(parseFrontends('# pxname,svname,\nhttp_80,FRONTEND,,\nlisten_5,FRONTEND,,\n\n')).toEqual([
    'http_80',
    'listen_5',
  ]);
});

it('references of the sessions of one server and of no other', () => {
  const text = `0x55d845656a30: proto=sockpair src=unix:2 fe=GLOBAL be=<NONE> srv=<none> ts=00 epoch=0
0x7fa79002a200: proto=tcpv4 src=127.0.0.1:59712 fe=http be=b0 srv=s1 ts=00 epoch=0 age=0s
0x7fa79002a300: proto=tcpv4 src=127.0.0.1:59713 fe=http be=b0 srv=s11 ts=00 epoch=0 age=0s
0x7fa79002a400: proto=tcpv4 src=127.0.0.1:59714 fe=http be=b01 srv=s1 ts=00 epoch=0 age=0s
`;
  expect(parseSessions(text, 'b0', 's1')).toEqual(['0x7fa79002a200']);
});

it('a map, and the number of a prepared one', () => {
  expect(parseMap('0x55d845590890 a.test/ b0\n0x55d845590920 a.test/api/ b1\n\n')).toEqual(
    new Map([
      ['a.test/', 'b0'],
      ['a.test/api/', 'b1'],
    ]),
  );
  expect(parseMapVersion('New version created: 12\n\n')).toBe(12);
  expect(parseMapVersion('Unknown map identifier.')).toBeNull();
});

it('listening sockets of the kernel table', () => {
  const text = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
   1: 0100007F:1538 0100007F:A000 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0
`;
  expect(parseListening(text)).toEqual([{ port: 5432, inode: '4711' }]);
});
