// catalog.hpp "manifests and the graph" and "referrers".
#include <unordered_map>

#include "entrepot/index/catalog.hpp"
#include "index/links.hpp"
#include "index/records.hpp"
#include "index/repositories.hpp"

namespace entrepot::index {
namespace {

// Deeper indexes are answered as incomplete; real ones have two levels (reliability.md M-10).
constexpr int deepest_index = 64;

// The parser's bound on JSON does not bound repeats: each (child, parent) pair is one row.
void put_parents(Batch& batch, const oci::Digest& parent, const std::vector<oci::Edge>& edges) {
  for (const auto& edge : edges) {
    const Key key = Key().digest(edge.target.digest).digest(parent);
    if (batch.get(Space::parents, key)) continue;
    batch.put(Space::parents, key, base::as_bytes(encode(std::vector{edge})));
  }
}

void put_referrer(Batch& batch, const oci::Digest& digest, std::uint64_t size,
                  const oci::Manifest& parsed) {
  const Referrer row{{parsed.media_type, digest, size}, parsed.artifact_type, parsed.annotations};
  batch.put(Space::referrers, Key().digest(parsed.subject->digest).digest(digest),
            base::as_bytes(encode(row)));
  batch.put(Space::subjects, Key().digest(digest),
            base::as_bytes(encode_digest(parsed.subject->digest)));
}

void put_rows(Batch& batch, const oci::Digest& digest, std::string_view bytes,
              const oci::Manifest& parsed) {
  batch.put(Space::manifests, Key().digest(digest),
            base::as_bytes(encode(StoredManifest{parsed.media_type, bytes})));
  batch.put(Space::edges, Key().digest(digest), base::as_bytes(encode(parsed.edges)));
  put_parents(batch, digest, parsed.edges);
  if (parsed.subject) put_referrer(batch, digest, bytes.size(), parsed);
}

// One walk over a graph whose parts may be shared any number of times: each digest is judged once.
// All it enters is listed by a manifest the repository may give, so what is attainable is earned.
class CompletenessWalk {
 public:
  CompletenessWalk(const View& view, const oci::RepositoryName& repository,
                   std::string_view upstream)
      : view_(view), repository_(repository), upstream_(upstream) {}

  bool complete(const oci::Digest& manifest, int depth) {
    // Stands for "incomplete" while the answer is being found, too.
    const auto [known, first_visit] = judged_.try_emplace(manifest, false);
    if (!first_visit) return known->second;
    const bool answer = depth <= deepest_index && judge(manifest, depth);
    judged_[manifest] = answer;
    return answer;
  }

 private:
  bool judge(const oci::Digest& manifest, int depth) {
    const auto value = view_.get(Space::edges, Key().digest(manifest));
    if (!value) return false;
    const auto edges = intact(decode_edges(*value), "edges");
    bool has_children = false;
    bool has_complete_child = false;
    for (const auto& edge : edges) {
      switch (edge.kind) {
        case oci::EdgeKind::manifest:
          has_children = true;
          has_complete_child = has_complete_child || (may_give(edge.target.digest) &&
                                                      complete(edge.target.digest, depth + 1));
          break;
        case oci::EdgeKind::config:
        case oci::EdgeKind::layer:
          if (!view_.get(Space::blobs, Key().digest(edge.target.digest)) ||
              !may_give(edge.target.digest)) {
            return false;
          }
          break;
        case oci::EdgeKind::foreign:
          break;
      }
    }
    return !has_children || has_complete_child;
  }

  bool may_give(const oci::Digest& digest) const {
    return attainable(view_, repository_, upstream_, digest);
  }

  const View& view_;
  const oci::RepositoryName& repository_;
  const std::string_view upstream_;
  std::unordered_map<oci::Digest, bool> judged_;
};

std::optional<StoredManifest> stored_manifest(const View& view, const oci::Digest& digest) {
  const auto value = view.get(Space::manifests, Key().digest(digest));
  if (!value) return std::nullopt;
  return intact(decode_manifest(*value), "manifest");
}

}  // namespace

std::optional<ManifestRecord> manifest(const View& view, const oci::Digest& digest) {
  const auto stored = stored_manifest(view, digest);
  if (!stored) return std::nullopt;
  return ManifestRecord{std::string(stored->media_type), std::string(stored->bytes)};
}

std::optional<ManifestInfo> manifest_info(const View& view, const oci::Digest& digest) {
  const auto stored = stored_manifest(view, digest);
  if (!stored) return std::nullopt;
  return ManifestInfo{std::string(stored->media_type), stored->bytes.size()};
}

void put_manifest(Batch& batch, const oci::RepositoryName& repository, RepositoryKind kind,
                  const oci::Digest& digest, std::string_view bytes, const oci::Manifest& parsed,
                  base::WallTime now) {
  // The bytes cannot have changed, and they have but one type (M-01, oci::parse_manifest).
  const bool known = batch.get(Space::manifests, Key().digest(digest)).has_value();
  if (!known) put_rows(batch, digest, bytes, parsed);
  link(batch, repository, kind, digest, now);
}

std::vector<oci::Edge> edges(const View& view, const oci::Digest& manifest) {
  const auto value = view.get(Space::edges, Key().digest(manifest));
  return value ? intact(decode_edges(*value), "edges") : std::vector<oci::Edge>{};
}

Completeness completeness(const View& view, const oci::RepositoryName& repository,
                          std::string_view upstream, const oci::Digest& manifest) {
  const bool complete = linked(view, repository, manifest) &&
                        CompletenessWalk(view, repository, upstream).complete(manifest, 0);
  return complete ? Completeness::complete : Completeness::incomplete;
}

std::vector<Referrer> referrers(const View& view, const oci::RepositoryName& repository,
                                const oci::Digest& subject, std::string_view artifact_type,
                                const std::optional<oci::Digest>& after, std::size_t limit) {
  std::vector<Referrer> found;
  const auto id = repository_id(view, repository);
  if (!id || limit == 0) return found;
  const Key prefix = Key().digest(subject);
  const Key start = after ? Key().digest(subject).digest(*after) : Key();
  view.scan(Space::referrers, prefix, start, [&](base::ByteView key, base::ByteView value) {
    const auto referrer = intact(digest_in_key(key, key_size(subject)), "referrer");
    if (!linked(view, *id, referrer)) return Continue::yes;
    auto row = intact(decode_referrer(value), "referrer");
    if (artifact_type.empty() || row.artifact_type == artifact_type) {
      found.push_back(std::move(row));
    }
    return found.size() < limit ? Continue::yes : Continue::no;
  });
  return found;
}

}  // namespace entrepot::index
