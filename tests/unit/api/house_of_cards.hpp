// The handlers over an index in memory and two scripted upstreams: "hub" (the default, also
// docker.io) and "quay" (also quay.io and quay.local:5000).
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "entrepot/api/router.hpp"
#include "entrepot/oci/media_type.hpp"
#include "support/manual_clock.hpp"
#include "support/memory_index.hpp"
#include "support/memory_place.hpp"
#include "support/memory_store.hpp"
#include "support/run_task.hpp"

namespace entrepot::test {

inline std::unexpected<registry::Failure> failed(registry::FailureKind kind,
                                                 std::string message = {}) {
  return std::unexpected(registry::Failure{.kind = kind, .message = std::move(message)});
}

// Holds one manifest and one blob, whatever the name; remembers what it was asked.
class ScriptedSource final : public registry::Source {
 public:
  using Name = oci::RepositoryName;

  std::string manifest_bytes = R"({"schemaVersion":2})";
  std::string blob_bytes = "0123456789";
  std::vector<std::string> tag_names{"0.1.2", "0.1.20", "latest", "v1"};
  std::vector<index::Referrer> referrer_list;
  registry::Provenance provenance;
  std::optional<registry::Failure> failure;  // when set, the answer to everything

  std::vector<std::string> asked;  // "manifest library/app v1"

  oci::Digest manifest_digest() const { return digest_of(manifest_bytes); }
  oci::Digest blob_digest() const { return digest_of(blob_bytes); }
  static oci::Digest digest_of(std::string_view text) {
    return oci::Digest::of(oci::Algorithm::sha256, base::as_bytes(text));
  }

  async::Task<registry::Answer<registry::Resolved>> resolve(Name name,
                                                            oci::Reference reference) override {
    asked.push_back("resolve " + name.text() + ' ' + reference.text());
    if (failure) co_return std::unexpected(*failure);
    co_return registry::Resolved{manifest_digest(), std::string(oci::media_type::oci_manifest),
                                 manifest_bytes.size(), provenance};
  }

  async::Task<registry::Answer<registry::ManifestContent>> manifest(
      Name name, oci::Reference reference) override {
    asked.push_back("manifest " + name.text() + ' ' + reference.text());
    if (failure) co_return std::unexpected(*failure);
    co_return registry::ManifestContent{
        manifest_digest(), std::string(oci::media_type::oci_manifest), manifest_bytes, provenance};
  }

  async::Task<registry::Answer<registry::BlobSize>> stat(Name name, oci::Digest digest) override {
    asked.push_back("stat " + name.text() + ' ' + digest.text());
    if (failure) co_return std::unexpected(*failure);
    if (digest != blob_digest()) co_return failed(registry::FailureKind::absent);
    co_return registry::BlobSize{blob_bytes.size(), provenance};
  }

  async::Task<registry::Answer<registry::BlobContent>> blob(Name name,
                                                            oci::Digest digest) override {
    asked.push_back("blob " + name.text() + ' ' + digest.text());
    if (failure) co_return std::unexpected(*failure);
    if (digest != blob_digest()) co_return failed(registry::FailureKind::absent);
    co_return registry::BlobContent{async::memory_source(blob_bytes), provenance};
  }

  async::Task<registry::Answer<registry::TagPage>> tags(Name name, registry::Page page) override {
    asked.push_back("tags " + name.text() + ' ' + page.after + ' ' + std::to_string(page.limit));
    if (failure) co_return std::unexpected(*failure);
    registry::TagPage answer;
    for (const auto& tag : tag_names) {
      if (tag <= page.after) continue;
      answer.more = answer.tags.size() == page.limit;
      if (answer.more) break;
      answer.tags.push_back(*oci::Tag::parse(tag));
    }
    co_return answer;
  }

  async::Task<registry::Answer<registry::ReferrerPage>> referrers(Name name, oci::Digest subject,
                                                                  std::string artifact_type,
                                                                  registry::Page page) override {
    asked.push_back("referrers " + name.text() + ' ' + subject.text() + ' ' + artifact_type);
    if (failure) co_return std::unexpected(*failure);
    registry::ReferrerPage answer;
    answer.filtered = !artifact_type.empty();
    for (const auto& referrer : referrer_list) {
      if (answer.filtered && referrer.artifact_type != artifact_type) continue;
      if (!page.after.empty() && referrer.descriptor.digest.text() <= page.after) continue;
      answer.more = answer.referrers.size() == page.limit;
      if (answer.more) break;
      answer.referrers.push_back(referrer);
    }
    co_return answer;
  }
};

// A request's body at hand, in pieces of a size; its length is told or not (chunked).
class TextBody final : public http::RequestBody {
 public:
  enum class Framing { length, chunked };
  explicit TextBody(std::string text, Framing framing = Framing::length, std::size_t piece = 4)
      : text_(std::move(text)), framing_(framing), piece_(piece) {}

  std::optional<std::uint64_t> length() const override {
    if (framing_ == Framing::chunked) return std::nullopt;
    return text_.size();
  }
  async::Task<base::ByteView> next() override {
    const auto here = std::string_view(text_).substr(at_, piece_);
    if (here.empty() && cut_) throw http::BodyCut("the client left within its request's body");
    at_ += here.size();
    co_return base::as_bytes(here);
  }
  // Whether anybody has asked for a byte of it.
  bool touched() const { return at_ > 0; }
  // The connection breaks behind the last byte.
  void cut() { cut_ = true; }

 private:
  const std::string text_;
  const Framing framing_;
  const std::size_t piece_;
  std::size_t at_ = 0;
  bool cut_ = false;
};

inline auth::Rule rule(std::vector<auth::Subject> who, auth::Rights may,
                       std::string repositories = "**") {
  return {std::move(who), {std::move(repositories)}, may};
}
inline auth::Subject user(std::string name) { return {auth::Subject::Kind::user, std::move(name)}; }
inline auth::GateOptions everybody_may(auth::Rights rights) {
  auth::GateOptions options;
  options.rules = {rule({{}, {auth::Subject::Kind::everyone}}, rights)};
  return options;
}

// Whoever is not told otherwise may pull, and nobody may change anything.
class HouseOfCards {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  struct Plan {
    auth::GateOptions gate = everybody_may(auth::Right::pull);
    registry::PolicyOptions policy{};
    api::MetricsAccess metrics_access = api::MetricsAccess::loopback_only;
  };

  HouseOfCards() : HouseOfCards(Plan{}) {}
  explicit HouseOfCards(Plan plan)
      : gate(std::move(plan.gate), pool, clock),
        leases(std::chrono::hours(1)),
        admission(index, store, clock, metrics),
        policy(std::make_shared<const registry::Policy>(std::move(plan.policy))),
        writer(index, leases, policy, clock, [] { return true; }),
        uploads(store, admission, leases, writer, policy, pool, clock, metrics),
        notifier_(index, client_, clock, metrics, {}, "house"),
        jobs_(clock),
        local_(index, store),
        directory_(local_,
                   {{"hub", {"docker.io"}, registry::OfficialImages::yes, &hub},
                    {"quay", {"quay.io", "quay.local:5000"}, registry::OfficialImages::no, &quay}},
                   base::GlobSet({"acme/**"})) {
    const api::Collaborators collaborators{.reading = {directory_, local_, index, gate, feed_},
                                           .writing = {writer, uploads, leases, policy},
                                           .operations = operations(),
                                           .notifier = notifier_,
                                           .metrics = metrics,
                                           .clock = clock,
                                           .unready = [this] { return unready; },
                                           .metrics_access = plan.metrics_access};
    handler_ = api::make_handler(collaborators);
    admin_ = api::make_admin_handler(collaborators);
  }

  http::Reply ask(const std::string& method, const std::string& target, const Fields& fields = {}) {
    return send(method, target, {}, fields);
  }
  http::Reply get(const std::string& target, const Fields& fields = {}) {
    return ask("GET", target, fields);
  }
  http::Reply head(const std::string& target, const Fields& fields = {}) {
    return ask("HEAD", target, fields);
  }
  http::Reply send(const std::string& method, const std::string& target, std::string body,
                   const Fields& fields = {}) {
    TextBody bytes(std::move(body));
    return run(handler_, method, target, fields, bytes);
  }
  http::Reply send(const std::string& method, const std::string& target, TextBody& body,
                   const Fields& fields = {}) {
    return run(handler_, method, target, fields, body);
  }
  http::Reply ask_admin(const std::string& target) {
    TextBody none("");
    return run(admin_, "GET", target, {}, none);
  }

  // A tag of a local repository, so that this exists.
  void hold(const std::string& repository) {
    const auto name = *oci::RepositoryName::parse(repository);
    run_task(index.write([&](index::Batch& batch) {
      index::set_tag(batch, name, *oci::Tag::parse("held"), hub.manifest_digest(), {},
                     index::Cause::push);
    }));
  }

  ManualClock clock;
  async::BlockingPool pool{1};
  MemoryIndex index;
  MemoryStore store;
  base::Metrics metrics;
  auth::Gate gate;
  registry::LeaseTable leases;
  registry::Admission admission;
  registry::PolicySwitch policy;
  registry::Writer writer;
  registry::Uploads uploads;
  ScriptedSource hub;
  ScriptedSource quay;
  // Between whom the rules are.
  const std::shared_ptr<MemoryPlace> paris = std::make_shared<MemoryPlace>();
  const std::shared_ptr<MemoryPlace> here = std::make_shared<MemoryPlace>();
  std::string unready;
  bool from_loopback = true;
  std::string who;  // proved by a certificate; empty: nobody
  http::Via via = http::Via::plain;
  std::vector<std::string> ordered;  // what the operator's hooks were asked for

 private:
  static async::Task<std::string> finish_at_once(std::shared_ptr<upkeep::Progress> progress) {
    progress->line(R"({"kind":"blob"})");
    co_return R"({"blobs":1})";
  }
  async::Task<> read_again() {
    ordered.emplace_back("reload");
    if (!unready.empty()) throw std::runtime_error(unready);
    co_return;
  }
  static async::Task<api::SiteCard> card() {
    co_return api::SiteCard{.id = "5173", .name = "berlin", .key = "key"};
  }
  // A rule from somewhere else, and one that is for bundles.
  static std::vector<replication::Rule> rules() {
    return {{.name = "from-paris", .from = "paris", .repositories = {replication::Glob{"web/app"}}},
            {.name = "to-island", .to = replication::in_bundles}};
  }
  replication::Party party(const std::string& name) {
    if (name == replication::in_bundles) return {};
    return {.place = name == replication::here ? here : paris};
  }
  async::Task<std::vector<api::PeerCard>> cards() {
    ordered.emplace_back("peers");
    co_return std::vector<api::PeerCard>{
        {.name = "paris",
         .kind = "entrepot",
         .urls = {"https://paris"},
         .site = "5173",
         .newest = 7},
        {.name = "lyon", .kind = "registry", .urls = {"https://lyon"}, .error = "broken: away"}};
  }
  api::Bundling bundling() {
    return {
        .want = [this](api::WantOrder order) -> upkeep::Jobs::Work {
          ordered.push_back("want " + order.file.string());
          return finish_at_once;
        },
        .bundle = [this](api::BundleOrder order) -> upkeep::Jobs::Work {
          ordered.push_back("bundle " + order.rule + std::to_string(order.references.size()) +
                            " in " + std::to_string(order.volume_size));
          return finish_at_once;
        },
        .application = [this](api::BundleApplication order, index::Actor) -> upkeep::Jobs::Work {
          ordered.push_back("apply " + std::to_string(order.paths.size()) + order.abandon);
          return finish_at_once;
        },
        .site = card};
  }
  api::Operations operations() {
    return {
        .jobs = jobs_,
        .collection = [this](api::CollectionOrder order) -> upkeep::Jobs::Work {
          ordered.push_back(order.trial == upkeep::Trial::dry_run ? "dry run" : "collection");
          return finish_at_once;
        },
        .adoption = [this](transfer::AdoptionOptions options, index::Actor) -> upkeep::Jobs::Work {
          ordered.push_back("adopt " + options.directory.string());
          return finish_at_once;
        },
        .export_image = [this](api::ExportOrder order) -> upkeep::Jobs::Work {
          ordered.push_back("export " + order.repository.text() + " to " +
                            order.directory.string());
          return finish_at_once;
        },
        .reload = [this] { return read_again(); },
        .bundling = bundling(),
        .replication = {.replicator = &replicator_, .peers = [this] { return cards(); }}};
  }

  http::Reply run(const http::Handler& handler, const std::string& method,
                  const std::string& target, const Fields& fields, TextBody& body) {
    http::Request request;
    request.id = "0123456789abcdef";
    request.method = method;
    request.target = http::parse_target(target).value();
    for (const auto& [name, value] : fields) request.headers.add(name, value);
    request.remote_is_loopback = from_loopback;
    request.client_certificate = who;
    request.via = via;
    request.body = &body;
    return run_on(context_, handler(request));
  }

  boost::asio::io_context context_{1};
  http::Client client_;
  notify::Notifier notifier_;
  upkeep::Jobs jobs_;
  replication::Replicator replicator_{
      {index, clock, metrics}, rules(), [this](const replication::Rule&, const std::string& name) {
        return party(name);
      }};
  registry::Local local_;
  registry::LocalFeed feed_{{index, pool, clock}};
  registry::Directory directory_;
  http::Handler handler_;
  http::Handler admin_;
};

inline std::string body_of(const http::Reply& reply) {
  std::string text;
  for (const auto& part : reply.body) {
    if (const auto* own = std::get_if<std::string>(&part)) {
      text += *own;
      continue;
    }
    const auto& piece = std::get<http::SourcePart>(part);
    if (piece.length == 0) continue;
    const auto chunk = run_task(piece.source->read_at(piece.offset, piece.length));
    if (const auto* slice = std::get_if<async::FileSlice>(&chunk)) {
      std::string bytes(slice->length, '\0');
      EXPECT_EQ(::pread(slice->file->get(), bytes.data(), bytes.size(),
                        static_cast<off_t>(slice->offset)),
                static_cast<ssize_t>(bytes.size()));
      text += bytes;
    } else {
      text += base::as_text(std::get<async::MemorySlice>(chunk).bytes);
    }
  }
  return text;
}

inline std::string header(const http::Reply& reply, std::string_view name) {
  return std::string(reply.headers.get(name).value_or("(none)"));
}

}  // namespace entrepot::test
