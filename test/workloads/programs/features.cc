// SPDX-License-Identifier: Apache-2.0
// A C++ program: exceptions (across threads and frames), threads, futures, streams, filesystem.
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <future>
#include <iostream>
#include <map>
#include <mutex>
#include <regex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Noisy {
  ~Noisy() { std::cout << "unwound\n"; }
};

int Deep(int depth) {
  if (depth == 0) throw std::out_of_range("bottom");
  return Deep(depth - 1) + 1;
}

void Exceptions() {
  try {
    Noisy noisy;
    Deep(200);
  } catch (const std::exception& error) {
    std::cout << "caught " << error.what() << "\n";
  }
  auto later = std::async(std::launch::async, []() -> int { throw std::runtime_error("thrown"); });
  try {
    later.get();
  } catch (const std::runtime_error& error) {
    std::cout << "from a thread: " << error.what() << "\n";
  }
  int caught = 0;
  for (int i = 0; i < 2000; ++i) {
    try {
      Deep(3);
    } catch (...) {
      ++caught;
    }
  }
  std::cout << caught << " exceptions\n";
}

void Threads() {
  std::mutex mutex;
  std::condition_variable changed;
  std::atomic<int> spins{0};
  int turn = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return turn == i; });
      std::cout << "turn " << i << "\n";
      ++turn;
      spins += i;
      changed.notify_all();
    });
  }
  for (auto& thread : threads) thread.join();
  std::cout << "sum " << spins << "\n";
}

void Files() {
  namespace fs = std::filesystem;
  fs::create_directories("made/by/cpp");
  std::ofstream("made/by/cpp/file") << "text " << 42 << "\n";
  std::string word;
  int number = 0;
  std::ifstream("made/by/cpp/file") >> word >> number;
  std::cout << word << number << " " << fs::file_size("made/by/cpp/file") << "\n";
  fs::rename("made/by", "made/with");
  for (const auto& entry : fs::recursive_directory_iterator("made")) {
    std::cout << entry.path().string() << "\n";
  }
  std::cout << fs::remove_all("made") << " removed\n";
  std::cout << std::regex_replace("a1b22c", std::regex("[0-9]+"), "#") << "\n";
}

}  // namespace

int main() {
  Exceptions();
  Threads();
  Files();
  return 3;
}
