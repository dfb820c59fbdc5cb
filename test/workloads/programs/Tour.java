// SPDX-License-Identifier: Apache-2.0
// Threads, files, a process, garbage.

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;

public class Tour {
  public static void main(String[] arguments) throws Exception {
    System.out.println("hello");
    AtomicLong total = new AtomicLong();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      final int number = i;
      threads.add(new Thread(() -> { for (int n = 0; n < 1000; n++) total.addAndGet(number); }));
    }
    for (Thread thread : threads) thread.start();
    for (Thread thread : threads) thread.join();
    System.out.println("threads " + total);
    ExecutorService pool = Executors.newFixedThreadPool(4);
    List<Future<Integer>> results = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      final int number = i;
      results.add(pool.submit(() -> new byte[100_000].length + number));
    }
    long sum = 0;
    for (Future<Integer> result : results) sum += result.get();
    pool.shutdown();
    System.out.println("pool " + sum);
    Path file = Files.createTempFile("tour", ".txt");
    Files.writeString(file, "text");
    System.out.println("file " + Files.readString(file) + Files.size(file));
    Files.delete(file);
    Process process = new ProcessBuilder("sh", "-c", "cat; exit 3").start();
    process.getOutputStream().write("piped".getBytes());
    process.getOutputStream().close();
    System.out.println(new String(process.getInputStream().readAllBytes()) + process.waitFor());
    try {
      Object nothing = null;
      nothing.hashCode();
    } catch (NullPointerException error) {
      System.out.println("null");
    }
    System.exit(7);
  }
}
