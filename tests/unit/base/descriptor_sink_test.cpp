#include "base/descriptor_sink.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "entrepot/base/unique_fd.hpp"

namespace entrepot::base::log::descriptor_sink_test {
namespace {

struct Ends {
  UniqueFd reader;
  UniqueFd writer;
};

Ends make_pipe() {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) throw_errno("pipe2");
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

Ends make_socket() {
  std::array<int, 2> fds{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) != 0)
    throw_errno("socketpair");
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

spdlog::logger logger_to(const UniqueFd& fd) {
  return {"test", std::make_shared<DescriptorSink>(fd.get())};
}

// Everything that can be read now.
std::string drain(const UniqueFd& fd) {
  ::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
  std::string text;
  std::array<char, 65536> buffer{};
  for (;;) {
    const auto got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

class DescriptorSinkTest : public testing::TestWithParam<Ends (*)()> {};
INSTANTIATE_TEST_SUITE_P(Kinds, DescriptorSinkTest, testing::Values(make_pipe, make_socket));

TEST_P(DescriptorSinkTest, one_line_an_event) {
  const auto ends = GetParam()();
  auto logger = logger_to(ends.writer);
  logger.info("one");
  logger.info("{}", "two");
  EXPECT_EQ(drain(ends.reader), "one\ntwo\n");
}

TEST_P(DescriptorSinkTest, reader_that_does_not_read_costs_lines_not_time) {
  const auto ends = GetParam()();
  auto logger = logger_to(ends.writer);
  const std::string line(1000, 'x');
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 2000; ++i) logger.info(line);
  // 2 MB fit nowhere; a blocking write would never come back.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));

  const auto first = drain(ends.reader);
  logger.info("after");
  const auto second = drain(ends.reader);
  EXPECT_GT(first.size(), 10'000U);
  EXPECT_NE(second.find("after\nmsg=\"log lines lost\" count="), second.npos) << second;

  logger.info("later");
  EXPECT_EQ(drain(ends.reader), "later\n");
}

TEST_P(DescriptorSinkTest, torn_line_does_not_swallow_the_next) {
  const auto ends = GetParam()();
  auto logger = logger_to(ends.writer);
  // Longer than any pipe or socket buffer: part of it is written.
  logger.info(std::string(8 << 20, 'x'));
  const auto first = drain(ends.reader);
  EXPECT_GT(first.size(), 0U);
  EXPECT_EQ(first.find('\n'), first.npos);
  logger.info("next");
  EXPECT_TRUE(drain(ends.reader).starts_with("\nnext\n"));
}

TEST(DescriptorSink, leaves_the_flags_of_a_shared_pipe_alone) {
  const auto ends = make_pipe();
  logger_to(ends.writer).info("x");
  EXPECT_EQ(::fcntl(ends.writer.get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST(DescriptorSink, lines_of_many_threads_do_not_mix) {
  const auto ends = make_pipe();
  auto logger = logger_to(ends.writer);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&logger, i] {
      for (int n = 0; n < 50; ++n) logger.info(std::string(100, static_cast<char>('a' + i)));
    });
  }
  for (auto& thread : threads) thread.join();
  const auto text = drain(ends.reader);
  ASSERT_EQ(text.size(), 4 * 50 * 101U);
  for (std::size_t at = 0; at < text.size(); at += 101) {
    EXPECT_EQ(text.substr(at, 101), std::string(100, text[at]) + '\n');
  }
}

}  // namespace
}  // namespace entrepot::base::log::descriptor_sink_test
