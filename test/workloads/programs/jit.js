// SPDX-License-Identifier: Apache-2.0
// Code that V8 compiles, throws away and compiles again, in several threads, with calls between.
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const fs = require('fs');

function churn(seed) {
  let sum = seed;
  for (let round = 0; round < 40; round++) {
    const f = new Function('a', `let s = a; for (let i = 0; i < 20000; i++) s = (s * ${round + 3} + i) | 0; return s;`);
    for (let i = 0; i < 20; i++) sum = (sum + f(i)) | 0;
    sum = (sum + f(1.5) + f('7')) | 0;  // Other types: what was compiled is thrown away.
    for (let i = 0; i < 50; i++) fs.statSync('/');
  }
  return sum;
}

if (isMainThread) {
  const results = [];
  const workers = [1, 2, 3].map((seed) => new Worker(__filename, { workerData: seed }));
  workers.forEach((w) => w.on('message', (m) => results.push(m)));
  results.push(churn(0));
  Promise.all(workers.map((w) => new Promise((done) => w.on('exit', done)))).then(() => {
    console.log(results.sort((a, b) => a - b).join(' '));
  });
} else {
  parentPort.postMessage(churn(workerData));
}
