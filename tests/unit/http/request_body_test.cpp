// Bodies of requests, as handlers pull them.
#include <fmt/format.h>

#include "unit/http/loopback.hpp"

namespace entrepot::http {
namespace {

using std::chrono::milliseconds;

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + (i * 7 + i / 26) % 26);
  return text;
}

// Reads the whole body, or of "/some" the first piece, or of "/none" nothing; tells what it got.
struct Reader {
  std::mutex mutex;  // guards what follows
  std::vector<std::string> bodies;
  std::vector<std::optional<std::uint64_t>> lengths;
  std::size_t pieces = 0;
  std::string failure;

  static async::Task<Reply> answer(std::shared_ptr<Reader> reader, const Request& request) {
    std::string body;
    try {
      while (request.target.path != "/none") {
        const auto piece = co_await request.body->next();
        if (piece.empty()) break;
        const std::lock_guard lock(reader->mutex);
        ++reader->pieces;
        body += base::as_text(piece);
        if (request.target.path == "/some") break;
      }
    } catch (const std::exception& e) {
      const std::lock_guard lock(reader->mutex);
      reader->failure = e.what();
      throw;
    }
    const std::lock_guard lock(reader->mutex);
    reader->bodies.push_back(body);
    reader->lengths.push_back(request.body->length());
    co_return text_reply(201, "text/plain", std::to_string(body.size()));
  }

  std::string last() {
    const std::lock_guard lock(mutex);
    return bodies.empty() ? std::string() : bodies.back();
  }
};

struct Uploads {
  explicit Uploads(ServerLimits limits = {})
      : server(
            [reader = reader](const Request& request) { return Reader::answer(reader, request); },
            limits) {}

  std::shared_ptr<Reader> reader = std::make_shared<Reader>();
  Loopback server;
};

std::string put(std::string_view path, std::string_view more) {
  return "PUT " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n" + std::string(more) + "\r\n";
}

std::string of_length(std::string_view path, std::string_view body, std::string_view more = "") {
  return put(path, "Content-Length: " + std::to_string(body.size()) + "\r\n" + std::string(more)) +
         std::string(body);
}

std::string in_chunks(std::string_view body, std::size_t size) {
  std::string text;
  while (!body.empty()) {
    const auto piece = body.substr(0, size);
    text += fmt::format("{:x}{}\r\n{}\r\n", piece.size(), text.empty() ? ";a=b" : "", piece);
    body.remove_prefix(piece.size());
  }
  return text + "0\r\nX-Trailer: y\r\n\r\n";
}

const std::string chunked = "Transfer-Encoding: chunked\r\n";

TEST(RequestBody, arrives_whole_whatever_its_length) {
  Uploads uploads;
  RawClient client(uploads.server);
  for (const std::size_t size : {0U, 1U, 1000U, 65'536U, 262'144U, 262'145U, 5'000'000U}) {
    const auto body = pattern(size);
    client.send(of_length("/", body));
    EXPECT_EQ(client.receive().body, std::to_string(size));
    EXPECT_TRUE(uploads.reader->last() == body) << size;
    EXPECT_EQ(uploads.reader->lengths.back(), size);
  }
}

// Rows: H-11
TEST(RequestBody, arrives_whole_in_chunks_of_any_size) {
  Uploads uploads;
  RawClient client(uploads.server);
  for (const std::size_t size : {1U, 7U, 4096U, 32'768U, 300'000U}) {
    const auto body = pattern(size == 1 ? 300 : 1'000'000);
    client.send(put("/", chunked) + in_chunks(body, size) + get("/next"));
    EXPECT_EQ(client.receive().body, std::to_string(body.size())) << size;
    EXPECT_EQ(client.receive().status, 201);
    EXPECT_TRUE(uploads.reader->bodies[uploads.reader->bodies.size() - 2] == body) << size;
    EXPECT_FALSE(uploads.reader->lengths[uploads.reader->lengths.size() - 2].has_value());
  }
}

}  // namespace
}  // namespace entrepot::http
