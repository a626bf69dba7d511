#include "upstream/manifests.hpp"

#include "entrepot/oci/manifest.hpp"
#include "entrepot/oci/media_type.hpp"
#include "upstream/schema1.hpp"

namespace entrepot::upstream {
namespace {

using registry::Answer;
using registry::Failure;
using registry::FailureKind;

Failure broken(const Asker& asker, std::string message) {
  return asker.named({FailureKind::broken, std::move(message)});
}

// The type alone, without parameters.
std::string media_type_of(const http::Headers& headers) {
  std::string type(headers.get("Content-Type").value_or(""));
  type.resize(std::min(type.size(), type.find(';')));
  while (type.ends_with(' ')) type.pop_back();
  return type;
}

std::optional<std::string> doubt_manifest(const http::Response& response) {
  const auto type = media_type_of(response.headers());
  if (type.empty()) return "sends a manifest without a media type";
  if (oci::manifest_kind(type) == oci::ManifestKind::unknown)
    return "answers a question for a manifest with the media type '" + type.substr(0, 100) + "'";
  if (response.content_length().value_or(0) > oci::max_manifest_bytes)
    return "sends a manifest of more than 4 MiB";
  return std::nullopt;
}

Question question(std::string method, const oci::RepositoryName& name,
                  const oci::Reference& reference) {
  Question asked{.kind = "manifest",
                 .method = std::move(method),
                 .repository = name.text(),
                 .path = "/manifests/" + reference.text()};
  asked.accept = oci::accept_all_manifests();
  asked.most = oci::max_manifest_bytes;
  asked.doubt = &doubt_manifest;
  return asked;
}

std::optional<oci::Digest> stated_digest(const http::Headers& headers) {
  return oci::Digest::parse(headers.get("Docker-Content-Digest").value_or(""));
}

// A HEAD that leaves things out is followed by a GET.
std::optional<std::string> doubt_head(const http::Response& response) {
  if (!response.headers().get("Content-Type")) return std::nullopt;
  return doubt_manifest(response);
}

// What an answer to HEAD tells; absent when it does not tell enough.
std::optional<registry::Resolved> told_by_head(const http::Response& response) {
  if (response.status() != 200 || !response.headers().get("Content-Type")) return std::nullopt;
  const auto digest = stated_digest(response.headers());
  const auto size = response.content_length();
  if (!digest || !size) return std::nullopt;
  return registry::Resolved{*digest, media_type_of(response.headers()), *size};
}

// The bytes a digest is taken over.
std::string_view digested(std::string_view bytes, const std::string& media_type,
                          std::optional<std::string>& payload) {
  if (media_type != oci::media_type::docker_schema1_signed) return bytes;
  payload = signed_payload(bytes);
  return payload ? std::string_view(*payload) : bytes;
}

// The digest the content has, when it is the one asked for and the one stated.
std::expected<oci::Digest, std::string> believe(const Reply& reply, const std::string& media_type,
                                                const oci::Reference& reference) {
  std::optional<std::string> payload;
  const auto content = base::as_bytes(digested(reply.text, media_type, payload));
  const auto& headers = reply.response->headers();
  const auto stated = stated_digest(headers);
  if (headers.get("Docker-Content-Digest") &&
      (!stated || oci::Digest::of(stated->algorithm(), content) != *stated))
    return std::unexpected("sends a manifest that is not what its Docker-Content-Digest says");
  const auto* wanted = reference.digest();
  const auto algorithm = wanted != nullptr ? wanted->algorithm()
                         : stated          ? stated->algorithm()
                                           : oci::Algorithm::sha256;
  const auto digest = oci::Digest::of(algorithm, content);
  if (wanted != nullptr && digest != *wanted)
    return std::unexpected("sends a manifest that is not " + wanted->text());
  return digest;
}

}  // namespace

async::Task<Answer<registry::Resolved>> resolve_manifest(std::shared_ptr<Asker> asker,
                                                         oci::RepositoryName name,
                                                         oci::Reference reference) {
  auto head = question("HEAD", name, reference);
  head.doubt = &doubt_head;
  auto held = co_await asker->ask(std::move(head));
  if (held) {
    if (auto told = told_by_head(*held->reply.response)) {
      const auto* wanted = reference.digest();
      if (wanted != nullptr && told->digest != *wanted)
        co_return std::unexpected(broken(*asker, "answers for another digest than asked for"));
      co_return std::move(*told);
    }
  } else {
    co_return std::unexpected(std::move(held.error()));
  }
  held = std::unexpected(Failure());  // gives its place back before the next question takes one
  auto content = co_await fetch_manifest(asker, name, reference);
  if (!content) co_return std::unexpected(std::move(content.error()));
  co_return registry::Resolved{content->digest, content->media_type, content->bytes.size()};
}

async::Task<Answer<registry::ManifestContent>> fetch_manifest(std::shared_ptr<Asker> asker,
                                                              oci::RepositoryName name,
                                                              oci::Reference reference) {
  auto held = co_await asker->ask(question("GET", name, reference));
  if (!held) co_return std::unexpected(std::move(held.error()));
  auto media_type = media_type_of(held->reply.response->headers());
  auto digest = believe(held->reply, media_type, reference);
  if (!digest) {
    asker->metrics().digest_mismatch(asker->name());
    co_return std::unexpected(broken(*asker, std::move(digest.error())));
  }
  co_return registry::ManifestContent{*digest, std::move(media_type), std::move(held->reply.text)};
}

}  // namespace entrepot::upstream
