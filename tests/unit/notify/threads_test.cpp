// One Notifier used from every serving thread while its receivers change: meant for
// ThreadSanitizer.
#include <gtest/gtest.h>

#include <thread>

#include "unit/notify/post_house.hpp"

namespace entrepot::notify::threads_test {
namespace {

using index::EventKind;

void use(Notifier& notifier, int thread) {
  for (int i = 0; i < 50; ++i) {
    notifier.pulled(event_of(EventKind::pull, "app", "t" + std::to_string(thread)));
    notifier.wake();
    static_cast<void>(notifier.wanted(EventKind::push));
    std::this_thread::yield();
  }
}

void change(Notifier& notifier, const std::string& url) {
  for (int i = 0; i < 20; ++i) {
    notifier.replace({receiver_at("a", url + "/a"), receiver_at("b" + std::to_string(i % 2), url)});
    std::this_thread::yield();
  }
  notifier.replace({receiver_at("a", url + "/a")});
}

TEST(Threads, share_one_notifier) {
  test::FakeUpstream server;
  server.on("POST /", test::reply(200, ""));
  test::MemoryIndex index;
  base::Metrics metrics;
  http::Client client;
  test::RunningRuntime runtime(2);
  Notifier notifier(index, client, base::system_clock(), metrics,
                    {receiver_at("a", server.url() + "/a")}, "node-1");
  notifier.start(runtime.get().executor(0));
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) threads.emplace_back(use, std::ref(notifier), t);
  threads.emplace_back(change, std::ref(notifier), server.url());
  for (auto& thread : threads) thread.join();
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (server.count("POST /a") < 150 && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_GE(server.count("POST /a"), 150);
  runtime.start(1, notifier.stop()).get();
}

}  // namespace
}  // namespace entrepot::notify::threads_test
