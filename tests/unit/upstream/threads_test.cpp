// One Remote asked from several serving threads at once: meant for ThreadSanitizer.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "unit/upstream/lab.hpp"

namespace entrepot::upstream::threads_test {
namespace {

const std::string manifest_bytes = R"({"schemaVersion":2})";
const std::string blob_bytes(300'000, 'b');

async::Task<> ask_everything(registry::Source& source, int number, std::atomic<int>& good) {
  const auto name = *oci::RepositoryName::parse("app" + std::to_string(number % 3));
  for (int i = 0; i < 5; ++i) {
    const auto resolved = co_await source.resolve(name, at("v1"));
    const auto manifest = co_await source.manifest(name, at("v1"));
    auto blob = co_await source.blob(name, digest_of(blob_bytes));
    if (!resolved || !manifest || !blob) continue;
    const auto bytes = co_await read_rest(std::move(*blob), 0);
    if (bytes == blob_bytes && manifest->bytes == manifest_bytes) ++good;
  }
}

void serve(registry::Source& source, int thread, std::atomic<int>& good) {
  boost::asio::io_context context(1);
  for (int i = 0; i < 4; ++i)
    async::spawn(context.get_executor(), ask_everything(source, thread + i, good), "test");
  context.run_for(std::chrono::seconds(30));
}

// Rows: U-14
TEST(Threads, share_one_remote) {
  Lab lab;
  lab.options.concurrency = 3;
  const auto challenge = "Bearer realm=\"" + lab.server.url() + "/token\",service=\"lab\"";
  lab.server.on("GET /token", test::reply(200, R"({"token":"abc","expires_in":2})"));
  lab.server.on("/blobs/", guarded("Bearer abc", challenge, test::content(blob_bytes, 200'000)), 5);
  lab.server.on("/blobs/", guarded("Bearer abc", challenge, test::content(blob_bytes)));
  lab.server.on("/manifests/", guarded("Bearer abc", challenge, manifest_reply(manifest_bytes)));
  auto& remote = lab.remote();
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) threads.emplace_back(serve, std::ref(remote), t, std::ref(good));
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 4 * 4 * 5);
}

}  // namespace
}  // namespace entrepot::upstream::threads_test
