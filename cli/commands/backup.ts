/** `slipway backup`: identity, keys and state of the installation in one file, read while everything runs. */
import { createHash } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { isoNow } from '../../controller/execute/clock.ts';
import type { BackupContents, BackupManifest } from '../../schemas/backup.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import { writeDurable } from '../../store/durable-file.ts';
import { ownVersions } from '../../store/own-files.ts';
import { problemsOf } from '../backup/check.ts';
import { readKeyFiles } from '../backup/key-files.ts';
import { packBackup } from '../backup/pack.ts';
import { readBackup } from '../backup/read-file.ts';
import { readState } from '../backup/read-state.ts';
import { connect } from '../connect.ts';
import { EXIT } from '../exit-codes.ts';
import { type Output, printable } from '../output.ts';
import type { CommandContext } from '../run-command.ts';

const STANDARD_OUTPUT = '-';

export async function backup(context: CommandContext): Promise<number> {
  const { output, options } = context;
  const [file = STANDARD_OUTPUT] = context.args;
  if (options['verify'] === true) return await verify(output, file);
  if (file === STANDARD_OUTPUT) refuseScreen(output);
  await using connection = await connect(context);
  const { store, installation, paths, clock } = connection;
  output.note(`reading the state of installation ${installation.id}`);
  const onReading = (n: number) => {
    if (n > 2) output.note(`  it changed meanwhile; reading it again (${n})`);
  };
  const { exact, ...state } = await readState({ store, onReading });
  const keys = await readKeyFiles(paths.keys);
  const contents: BackupContents = { installation: [installation], keys, ...state };
  const origin = { slipway: ownVersions().slipway, at: isoNow(clock), exact };
  const packed = packBackup(contents, origin);
  const problems = problemsOf({ manifest: packed.manifest, contents });
  if (problems.length > 0) throw new SlipwayError('BACKUP_INVALID', `this state cannot be restored: ${list(problems)}`);
  if (file === STANDARD_OUTPUT) await writeOut(packed.file);
  else await writeFile(file, packed.file);
  const summary = summaryOf(contents, packed.manifest, packed.file);
  const say = file === STANDARD_OUTPUT ? (text: string) => output.note(text) : (text: string) => output.line(text);
  const tell = () => printWritten(say, file, summary);
  if (file === STANDARD_OUTPUT) tell();
  else output.result({ file: resolve(file), ...summary }, tell);
  return EXIT.ok;
}

async function verify(output: Output, file: string): Promise<number> {
  const { manifest, contents, bytes } = await readBackup(file);
  const summary = summaryOf(contents, manifest, bytes);
  output.result({ file: resolve(file), ...summary }, () => {
    output.line(
      `${file} is whole: a backup of installation ${manifest.installation} on ${printable(manifest.machine)}`,
    );
    output.line(`made at ${manifest.at} by Slipway ${printable(manifest.slipway)}`);
    printCounts((text) => output.line(text), summary);
  });
  return EXIT.ok;
}

type Summary = ReturnType<typeof summaryOf>;

function summaryOf({ log, keys, records }: BackupContents, manifest: BackupManifest, file: Uint8Array) {
  const open = records.filter((it) => it.bucket === 'deploys' && it.key[0] === 'open');
  return {
    installation: manifest.installation,
    machine: manifest.machine,
    slipway: manifest.slipway,
    at: manifest.at,
    exact: manifest.exact,
    sizeBytes: file.byteLength,
    sha256: createHash('sha256').update(file).digest('hex'),
    namespaces: [...new Set(log.map((it) => it.namespace))],
    logEntries: log.length,
    keyFiles: keys.length,
    openDeploys: open.map((it) => it.key.slice(1).join('/')),
  };
}

function printWritten(say: (text: string) => void, file: string, summary: Summary): void {
  const where = file === STANDARD_OUTPUT ? 'standard output' : file;
  say(`backup of installation ${summary.installation} written to ${where} (${summary.sizeBytes} bytes)`);
  printCounts(say, summary);
  if (!summary.exact)
    say('the state changed all the while: what was read is as a controller that was killed would leave it');
  say('not in it: the data of volumes, container images, the fleet repository');
  say('it holds private keys: keep it where only you can read it, or encrypt it:');
  if (file === STANDARD_OUTPUT) say('  slipway backup - | age -p > slipway.backup.age');
  else say(`  gpg -c -- ${file}; age -p -o ${file}.age ${file}`);
}

function printCounts(say: (text: string) => void, summary: Summary): void {
  const { namespaces, logEntries, keyFiles, openDeploys } = summary;
  say(`${namespaces.length} namespaces, ${logEntries} log entries, ${keyFiles} key files`);
  for (const it of openDeploys) say(`deploy ${it} was open: whoever runs first after a restore finishes or voids it`);
}

/** A terminal shows nothing of use, and `--json` would be in the way of the bytes. */
function refuseScreen(output: Output): void {
  if (output.json) throw new SlipwayError('USAGE', '`-` and --json both want standard output: name a file');
  if (process.stdout.isTTY)
    throw new SlipwayError('USAGE', 'a backup is no text: name a file, or send standard output to a program or file');
}

async function writeOut(bytes: Uint8Array): Promise<void> {
  await new Promise<void>((done, failed) => {
    process.stdout.write(bytes, (error) => (error ? failed(error) : done()));
  });
}

async function writeFile(file: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeDurable(resolve(file), bytes, 0o600);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    throw new SlipwayError('USAGE', `${file} cannot be written (${code}) in ${dirname(resolve(file))}`, {}, error);
  }
}

function list(problems: readonly string[]): string {
  return problems.slice(0, 5).join('; ');
}
