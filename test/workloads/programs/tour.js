// SPDX-License-Identifier: Apache-2.0
// node: files, child processes, worker threads, a Unix socket server, timers, signals.
'use strict';
const {execFile, execSync, fork, spawn} = require('child_process');
const crypto = require('crypto');
const fs = require('fs');
const net = require('net');
const os = require('os');
const path = require('path');
const {Worker, isMainThread, parentPort, workerData} = require('worker_threads');

if (process.argv[2] === 'child') {
  process.on('message', (n) => { process.send(n * 2); process.disconnect(); });
} else if (!isMainThread) {
  let sum = 0;
  for (let i = 0; i <= workerData; ++i) sum += i;
  parentPort.postMessage(sum);
} else {
  main();
}

function worker(n) {
  return new Promise((resolve, reject) => {
    new Worker(__filename, {workerData: n}).on('message', resolve).on('error', reject);
  });
}

function files() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tour-'));
  for (let i = 0; i < 100; ++i) fs.writeFileSync(path.join(folder, `f${i}`), 'x'.repeat(i));
  const sizes = fs.readdirSync(folder).map((f) => fs.statSync(path.join(folder, f)).size);
  console.log('files', sizes.length, sizes.reduce((a, b) => a + b));
  try {
    fs.readFileSync('/nosuch');
  } catch (error) {
    console.log('error', error.code);
  }
  return folder;
}

async function server(folder) {
  const address = path.join(folder, 'socket');
  const listener = net.createServer((c) => c.pipe(c));
  await new Promise((done) => listener.listen(address, done));
  const answers = await Promise.all([...Array(10).keys()].map((n) => new Promise((done) => {
    const client = net.connect(address, () => client.end(`message ${n}`));
    let text = '';
    client.on('data', (d) => text += d).on('close', () => done(text));
  })));
  console.log('clients', answers.join());
  listener.close();
}

async function main() {
  const folder = files();
  const big = crypto.randomBytes(1 << 20);
  await fs.promises.writeFile(path.join(folder, 'big'), big);
  const streamed = crypto.createHash('sha256');
  for await (const chunk of fs.createReadStream(path.join(folder, 'big'))) streamed.update(chunk);
  console.log('stream', streamed.digest('hex') === crypto.createHash('sha256').update(big).digest('hex'));
  console.log('execSync', execSync('echo hello; exit 0').toString().trim());
  await new Promise((done) => execFile('sh', ['-c', 'exit 5'], (e) => {
    console.log('status', e.code);
    done();
  }));
  const cat = spawn('cat');
  cat.stdin.end('through cat');
  await new Promise((done) => cat.stdout.on('data', (d) => console.log(String(d))) &&
      cat.on('close', done));
  const child = fork(__filename, ['child']);
  child.send(21);
  await new Promise((done) => child.on('message', (n) => console.log('fork', n)) &&
      child.on('exit', done));
  console.log('workers', (await Promise.all([1000, 2000, 3000, 4000].map(worker))).join());
  await server(folder);
  const signalled = new Promise((done) => process.once('SIGUSR2', done));
  process.kill(process.pid, 'SIGUSR2');
  await signalled;
  console.log('signal');
  setTimeout(() => process.exit(6), 20);
  fs.rmSync(folder, {recursive: true});
}
