/** The migration job: brings the database to the schema that this image needs, then ends. */
import { openRedis } from './redis.mjs';
import { database, migrations, neededSchema, say, version } from './settings.mjs';

const redis = openRedis({ ...database, patienceMs: 20_000, say });
const before = Number(await redis.send('GET', 'schema'));
say(`shop ${version}: the database has schema ${before}, this version needs ${neededSchema}`);
for (const { schema, url } of migrations.filter((it) => it.schema > before)) {
  const { commands } = await import(url.href);
  // One transaction a migration: done, or not begun.
  await redis.send('MULTI');
  for (const words of commands) await redis.send(...words);
  await redis.send('SET', 'schema', schema);
  await redis.send('EXEC');
  say(`schema ${schema}: done`);
}
redis.close();
