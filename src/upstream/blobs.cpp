#include "upstream/blobs.hpp"

#include "upstream/content_range.hpp"
#include "upstream/remote_blob.hpp"

namespace entrepot::upstream {
namespace {

using registry::Answer;
using registry::BlobContent;
using registry::BlobSize;
using registry::Failure;
using registry::FailureKind;

// Kept in memory when nobody at all says how long a blob is.
constexpr std::size_t most_of_unknown_size = 16 * 1024 * 1024;

Question question(std::string_view kind, std::string method, const oci::RepositoryName& name,
                  const oci::Digest& digest) {
  return {.kind = kind,
          .method = std::move(method),
          .repository = name.text(),
          .path = "/blobs/" + digest.text(),
          .accept = "*/*"};
}

Failure broken(const Asker& asker, std::string message) {
  return asker.named({FailureKind::broken, std::move(message)});
}

// The blob's whole size, as far as the head of a 200 or 206 tells it.
std::optional<std::uint64_t> told_size(const http::Response& response) {
  if (response.status() == 200) return response.content_length();
  if (response.status() != 206) return std::nullopt;
  const auto range = parse_content_range(response.headers().get("Content-Range").value_or(""));
  return range ? range->total : std::nullopt;
}

async::Task<Answer<BlobSize>> stat_by_first_byte(std::shared_ptr<Asker> asker, Question asked) {
  asked.method = "GET";
  asked.from = 0;
  asked.to = 0;
  asked.body = BodyUse::stream;
  auto held = co_await asker->ask(std::move(asked));
  if (!held) co_return std::unexpected(std::move(held.error()));
  if (const auto size = told_size(*held->reply.response)) co_return BlobSize{*size};
  co_return std::unexpected(broken(*asker, "does not tell how large the blob is"));
}

// For upstreams that name no length to anyone: the whole of a small blob.
async::Task<Answer<BlobContent>> hold_in_memory(std::shared_ptr<Asker> asker, Held held) {
  auto text = co_await http::read_all(*held.reply.response, most_of_unknown_size);
  if (!text)
    co_return std::unexpected(
        broken(*asker, "names no length for the blob, and: " + text.error().message));
  asker->metrics().upstream_bytes(asker->name(), text->size());
  co_return BlobContent{async::memory_source(std::move(*text))};
}

// What the reader expects, the reply tells, or HEAD does; absent when nobody knows.
async::Task<Answer<std::optional<std::uint64_t>>> find_size(std::shared_ptr<Asker> asker,
                                                            Question asked,
                                                            std::optional<std::uint64_t> told,
                                                            std::optional<std::uint64_t> expected) {
  if (told && expected && *told != *expected)
    co_return std::unexpected(broken(*asker, "has " + std::to_string(*told) +
                                                 " bytes of a blob whose manifest says " +
                                                 std::to_string(*expected)));
  if (told) co_return told;
  if (expected) co_return expected;
  asked.kind = "stat";
  asked.method = "HEAD";
  asked.from.reset();
  asked.body = BodyUse::text;
  asked.queue = Queue::questions;
  const auto head = co_await asker->ask(std::move(asked));
  if (!head || head->reply.response->status() != 200) co_return std::nullopt;
  co_return head->reply.response->content_length();
}

}  // namespace

async::Task<Answer<BlobSize>> stat_blob(std::shared_ptr<Asker> asker, oci::RepositoryName name,
                                        oci::Digest digest) {
  auto asked = question("stat", "HEAD", name, digest);
  {
    const auto held = co_await asker->ask(asked);
    if (!held) co_return std::unexpected(held.error());
    if (const auto size = told_size(*held->reply.response)) co_return BlobSize{*size};
  }
  co_return co_await stat_by_first_byte(std::move(asker), std::move(asked));
}

async::Task<Answer<BlobContent>> open_blob(std::shared_ptr<Asker> asker, oci::RepositoryName name,
                                           oci::Digest digest, registry::BlobStart start) {
  auto asked = question("blob", "GET", name, digest);
  asked.body = BodyUse::stream;
  asked.queue = Queue::transfers;
  asked.patience = start.patience;
  if (start.offset > 0) asked.from = start.offset;
  auto held = co_await asker->ask(asked);
  if (!held) co_return std::unexpected(std::move(held.error()));
  const auto told = told_size(*held->reply.response);
  const auto size = co_await find_size(asker, asked, told, start.size);
  if (!size) co_return std::unexpected(size.error());
  if (!*size && start.offset == 0)
    co_return co_await hold_in_memory(std::move(asker), std::move(*held));
  if (!*size) co_return std::unexpected(broken(*asker, "does not tell how large the blob is"));
  auto source = std::make_unique<RemoteBlob>(asker, std::move(asked), **size);
  if (auto why = source->begin(std::move(*held)))
    co_return std::unexpected(broken(*asker, std::move(*why)));
  co_return BlobContent{std::move(source)};
}

}  // namespace entrepot::upstream
