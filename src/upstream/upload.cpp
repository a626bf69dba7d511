#include "upstream/upload.hpp"

#include "entrepot/http/target.hpp"
#include "upstream/upload_text.hpp"

namespace entrepot::upstream {
namespace {

using registry::Answer;
using registry::Failure;
using registry::FailureKind;

constexpr std::string_view octets = "application/octet-stream";
// Bytes by the range that many say of an empty upload: "0-0".
constexpr std::uint64_t said_of_nothing = 1;
constexpr std::size_t most_text = 16 * 1024;
// A registry may send what it got on to a store, and hash it, before it answers.
constexpr std::chrono::minutes to_write(2);
constexpr std::chrono::minutes to_finish(10);

Setback broken(const Asker& asker, std::string message) {
  return Setback{asker.named({FailureKind::broken, std::move(message)}), Again::may_help};
}

std::shared_ptr<const Sending> sending(std::shared_ptr<OfferedBytes> bytes, std::uint64_t from,
                                       std::string range) {
  Sending sending{.content_type = std::string(octets), .text = {}};
  sending.upload = std::move(bytes);
  sending.from = from;
  sending.range = std::move(range);
  return std::make_shared<const Sending>(std::move(sending));
}

std::optional<std::uint64_t> told_offset(const Reply& reply) {
  return parse_upload_range(reply.response->headers().get("Range").value_or(""));
}

std::optional<http::Url> told_address(const Asker& asker, std::size_t url, const Reply& reply) {
  const auto location = reply.response->headers().get("Location");
  if (!location) return std::nullopt;
  return upload_address(asker.url(url), reply.url, *location);
}

}  // namespace

Question Upload::question(std::string method) const {
  Question question{
      .kind = "upload", .method = std::move(method), .repository = repository_.text()};
  question.at = place_.address;
  question.right = Right::push;
  question.queue = Queue::uploads;
  return question;
}

bool Upload::move_on(const Reply& reply) {
  if (!reply.response->headers().get("Location")) return true;
  auto next = told_address(*asker_, place_.url, reply);
  if (!next) return false;
  place_.address = std::move(*next);
  return true;
}

async::Task<Try<std::optional<std::uint64_t>>> Upload::offset() {
  auto asked = question("GET");
  asked.answers = {202, 204};
  asked.most = most_text;
  const auto held = co_await asker_->ask_once(place_.url, std::move(asked));
  if (!held) co_return std::unexpected(held.error());
  const auto told = told_offset(held->reply);
  if (!told || !move_on(held->reply)) co_return std::nullopt;
  co_return *told == said_of_nothing ? 0 : *told;
}

async::Task<Try<std::uint64_t>> Upload::send(std::shared_ptr<OfferedBytes> piece,
                                             std::uint64_t from) {
  const auto end = piece->size();
  auto asked = question("PATCH");
  asked.first_byte = to_write;
  asked.sending =
      sending(std::move(piece), from, std::to_string(from) + "-" + std::to_string(end - 1));
  const auto held = co_await asker_->ask_once(place_.url, std::move(asked));
  if (!held) co_return std::unexpected(held.error());
  if (!move_on(held->reply))
    co_return std::unexpected(broken(*asker_, "sends an upload on to an unusable address"));
  auto stands = told_offset(held->reply).value_or(end);
  if (stands == said_of_nothing) stands = end;  // it does not count
  if (stands > end || stands <= from)
    co_return std::unexpected(broken(
        *asker_, "took bytes up to " + std::to_string(end) + " and has " + std::to_string(stands)));
  co_return stands;
}

async::Task<Try<void>> Upload::finish(oci::Digest digest, std::shared_ptr<OfferedBytes> whole) {
  auto asked = question("PUT");
  asked.at = with_parameter(place_.address, "digest", digest.text());
  asked.first_byte = to_finish;
  asked.sending = whole ? sending(std::move(whole), 0, {})
                        : std::make_shared<const Sending>(std::string(octets), std::string());
  const auto held = co_await asker_->ask_once(place_.url, std::move(asked));
  if (!held) co_return std::unexpected(held.error());
  const auto stated = held->reply.response->headers().get("Docker-Content-Digest");
  if (stated && *stated != digest.text())
    co_return std::unexpected(
        Setback{asker_->named({FailureKind::broken, "took a blob and calls it another"})});
  co_return Try<void>();
}

async::Task<> Upload::cancel() { co_await asker_->ask_once(place_.url, question("DELETE")); }

async::Task<Answer<Opened>> open_upload(std::shared_ptr<Asker> asker,
                                        oci::RepositoryName repository, oci::Digest digest,
                                        std::optional<oci::RepositoryName> from) {
  Question asked{.kind = "upload",
                 .method = "POST",
                 .repository = repository.text(),
                 .path = "/blobs/uploads/"};
  asked.right = Right::push;
  if (from) {
    asked.query =
        "mount=" + http::encode_query(digest.text()) + "&from=" + http::encode_query(from->text());
    asked.mount_from = from->text();
  }
  asked.sending = std::make_shared<const Sending>(std::string(octets), std::string());
  const auto held = co_await asker->ask(std::move(asked));
  if (!held) co_return std::unexpected(held.error());
  if (from && held->reply.response->status() == 201)
    co_return Opened{.mounted = true, .upload = {}};
  auto address = told_address(*asker, held->url, held->reply);
  if (held->reply.response->status() != 202 || !address)
    co_return std::unexpected(
        asker->named({FailureKind::broken, "opens no upload that we could go on with"}));
  co_return Opened{
      .mounted = false,
      .upload = Upload(asker, std::move(repository), {held->url, std::move(*address)})};
}

}  // namespace entrepot::upstream
