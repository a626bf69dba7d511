// A Notifier over an index in memory, everything on the caller's thread.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "entrepot/notify/notifier.hpp"
#include "support/fake_upstream.hpp"
#include "support/memory_index.hpp"
#include "support/run_task.hpp"
#include "unit/notify/events.hpp"

namespace entrepot::notify {

inline Receiver receiver_at(std::string name, std::string url) {
  http::Transport transport;
  transport.connect = std::chrono::seconds(2);
  transport.total = std::chrono::seconds(2);
  Receiver receiver;
  receiver.name = std::move(name);
  receiver.url = std::move(url);
  receiver.events = {index::EventKind::push, index::EventKind::pull};
  receiver.transport = std::make_shared<const http::Transport>(transport);
  return receiver;
}

class PostHouse : public testing::Test {
 protected:
  ~PostHouse() override { stop(); }

  void start(std::vector<Receiver> receivers) {
    notifier_ = std::make_unique<Notifier>(index_, client_, base::system_clock(), metrics_,
                                           std::move(receivers), "node-1");
    notifier_->start(context_.get_executor());
  }
  void stop() {
    if (notifier_) test::run_on(context_, notifier_->stop());
    notifier_.reset();
  }
  Notifier& notifier() { return *notifier_; }

  template <class Work>
  auto read(Work work) {
    return test::run_on(context_, index_.read(std::move(work)));
  }
  template <class Work>
  auto write(Work work) {
    return test::run_on(context_, index_.write(std::move(work)));
  }

  // As the writer of a change does it: rows in a transaction, then a word to the notifier.
  void happens(std::vector<index::Event> events) {
    write([&events](index::Batch& batch) {
      for (const auto& event : events) index::append_event(batch, event);
    });
    if (notifier_) notifier_->wake();
  }
  void push(const std::string& tag) {
    happens({event_of(index::EventKind::push, "team/app", tag)});
  }

  // Lets the tasks run until it holds; the tests' only way to wait.
  testing::AssertionResult comes_true(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return testing::AssertionFailure() << "too late";
      context_.restart();
      context_.run_one_for(std::chrono::milliseconds(5));
    }
    return testing::AssertionSuccess();
  }

  // The tags told of at `path`, in the order of the deliveries.
  std::vector<std::string> told(const std::string& path) {
    std::vector<std::string> tags;
    for (const auto& request : server_.requests()) {
      if (request.target != path) continue;
      const std::string before = R"("tag":")";
      const auto start = request.body.find(before) + before.size();
      tags.push_back(request.body.substr(start, request.body.find('"', start) - start));
    }
    return tags;
  }
  bool has_metric(const std::string& line) {
    return metrics_.render().find(line) != std::string::npos;
  }

  std::size_t rows() {
    return read([](const index::View& view) { return index::events(view, 0, 10'000).size(); });
  }

  test::FakeUpstream server_;
  test::MemoryIndex index_;
  base::Metrics metrics_;

 private:
  boost::asio::io_context context_{1};
  http::Client client_;
  std::unique_ptr<Notifier> notifier_;
};

}  // namespace entrepot::notify
