#include "transfer/bundle/graph.hpp"

#include <set>
#include <unordered_map>
#include <utility>

#include "entrepot/oci/manifest.hpp"
#include "entrepot/oci/refusal.hpp"
#include "entrepot/registry/platforms.hpp"

namespace entrepot::transfer {
namespace {

constexpr std::size_t referrers_a_page = 100;
// Deeper graphs are somebody's joke (reliability.md M-10).
constexpr int deepest = 64;

class Walk {
 public:
  Walk(const std::vector<BundleImage>& images, WalkOptions options, std::function<void()> passed)
      : images_(images), options_(std::move(options)), passed_(std::move(passed)) {}

  async::Task<Graph> run();

 private:
  // What was learned of a manifest, whichever repository it was read in.
  struct Known {
    std::uint32_t object = 0;
    std::string artifact_type;
    std::vector<std::uint32_t> blobs;
    std::vector<oci::Digest> children;
    std::vector<oci::Digest> wanted;  // of them, for the platforms
  };
  enum class Part { image, referrer };
  struct Visit {
    std::size_t image;
    Part part;
    std::set<std::uint32_t> seen;
    std::vector<std::uint32_t> objects;
    bool sparse = false;
    bool barren = false;
  };

  async::Task<> add_unit(std::size_t image, Part part, std::optional<oci::Tag> tag,
                         oci::Digest digest);
  async::Task<> visit(Visit& at, oci::Digest digest, int depth);
  void note_empty(const Visit& at, const oci::Digest& digest);
  std::vector<oci::Digest> children_of(const Visit& at, const Known& known) const;
  async::Task<const Known*> know(std::size_t image, oci::Digest digest);
  async::Task<Known> read(std::size_t image, registry::ManifestContent content);
  async::Task<> add_referrers(std::size_t image, oci::Digest subject);
  async::Task<bool> has(std::size_t image, oci::Digest digest);
  std::uint32_t object(PlannedObject object);
  ContentLine line_of(std::size_t image, std::optional<oci::Tag> tag, oci::Digest digest) const;

  const std::vector<BundleImage>& images_;
  const WalkOptions options_;
  const std::function<void()> passed_;
  Graph graph_;
  std::unordered_map<oci::Digest, std::uint32_t> numbers_;
  std::unordered_map<oci::Digest, Known> known_;
  std::set<std::tuple<std::string, std::string, oci::Digest>> units_;  // repository, tag
  std::set<std::pair<std::string, oci::Digest>> subjects_;             // repository
};

[[noreturn]] void refuse_absent(const BundleImage& image, const oci::Digest& digest) {
  throw oci::Refusal(oci::ErrorCode::manifest_unknown,
                     image.from.text() + "@" + digest.text() + " is not there");
}

void take(std::set<std::uint32_t>& seen, std::vector<std::uint32_t>& objects,
          std::uint32_t number) {
  if (seen.insert(number).second) objects.push_back(number);
}

async::Task<Graph> Walk::run() {
  for (std::size_t i = 0; i < images_.size(); ++i) {
    co_await add_unit(i, Part::image, images_[i].tag, images_[i].digest);
  }
  co_return std::move(graph_);
}

ContentLine Walk::line_of(std::size_t image, std::optional<oci::Tag> tag,
                          oci::Digest digest) const {
  const auto& wish = images_[image];
  const bool renamed = wish.from != wish.repository;
  return {.repository = wish.repository,
          .from = renamed ? wish.from.text() : "",
          .tag = std::move(tag),
          .digest = digest,
          .version = wish.version.value_or(options_.version),
          .sparse = false};
}

async::Task<> Walk::add_unit(std::size_t image, Part part, std::optional<oci::Tag> tag,
                             oci::Digest digest) {
  const auto& repository = images_[image].repository.text();
  if (!units_.emplace(repository, tag ? tag->text() : "", digest).second) co_return;
  Visit at{.image = image, .part = part, .seen = {}, .objects = {}};
  co_await visit(at, digest, 0);
  if (at.objects.empty()) co_return note_empty(at, digest);
  auto line = line_of(image, std::move(tag), digest);
  line.sparse = at.sparse;
  graph_.units.push_back({.line = std::move(line),
                          .artifact_type = known_.at(digest).artifact_type,
                          .objects = std::move(at.objects)});
}

async::Task<> Walk::visit(Visit& at, oci::Digest digest, int depth) {
  if (depth > deepest) {
    throw oci::Refusal(oci::ErrorCode::manifest_invalid, "the graph is too deep");
  }
  const auto* const known = co_await know(at.image, digest);
  if (known == nullptr) {
    // What was asked for by its platform is no less than asked for.
    const bool refused = options_.absent == WalkOptions::Absent::refuse;
    if (refused && depth > 0 && !options_.platforms.empty()) {
      refuse_absent(images_[at.image], digest);
    }
    at.sparse = true;
    co_return;
  }
  if (at.seen.contains(known->object)) co_return;
  const auto children = children_of(at, *known);
  const bool all = children.size() == known->children.size();
  at.sparse = at.sparse || !all;
  at.barren = children.empty() && !all && !images_[at.image].sparse;
  if (at.barren) co_return;
  take(at.seen, at.objects, known->object);
  for (const auto blob : known->blobs) take(at.seen, at.objects, blob);
  for (const auto& child : children) co_await visit(at, child, depth + 1);
  if (options_.referrers) co_await add_referrers(at.image, digest);
}

void Walk::note_empty(const Visit& at, const oci::Digest& digest) {
  const auto& wish = images_[at.image];
  if (at.barren) {
    graph_.barren.push_back(wish.from.text() + (wish.tag ? ":" + wish.tag->text() : "") + "@" +
                            digest.text());
  } else if (at.part == Part::image && options_.absent == WalkOptions::Absent::refuse) {
    // Lists of referrers that clients keep under a tag name what was deleted since.
    refuse_absent(wish, digest);
  }
}

std::vector<oci::Digest> Walk::children_of(const Visit& at, const Known& known) const {
  if (at.part == Part::referrer) return known.children;
  if (!images_[at.image].sparse) return known.wanted;
  auto children = known.children;
  std::erase_if(children, [this](const auto& one) { return !options_.children.contains(one); });
  return children;
}

// Null: the source has not this manifest (a child left out on purpose).
async::Task<const Walk::Known*> Walk::know(std::size_t image, oci::Digest digest) {
  if (const auto found = known_.find(digest); found != known_.end()) co_return &found->second;
  const auto& wish = images_[image];
  auto content = co_await wish.source->manifest(wish.from, oci::Reference(digest));
  if (!content) {
    if (content.error().kind == registry::FailureKind::absent) co_return nullptr;
    registry::refuse(content.error(), registry::Subject::manifest);
  }
  if (passed_) passed_();
  auto known = co_await read(image, std::move(*content));
  co_return &known_.emplace(digest, std::move(known)).first->second;
}

async::Task<Walk::Known> Walk::read(std::size_t image, registry::ManifestContent content) {
  const auto parsed = oci::parse_manifest(content.bytes, content.media_type);
  if (!parsed) throw oci::Refusal(oci::ErrorCode::manifest_invalid, parsed.error());
  Known known{.object = object({.digest = content.digest,
                                .size = content.bytes.size(),
                                .media_type = content.media_type,
                                .image = image}),
              .artifact_type = parsed->subject ? parsed->artifact_type : "",
              .blobs = {},
              .children = {},
              .wanted = {}};
  for (const auto& [kind, target] : parsed->edges) {
    if (kind == oci::EdgeKind::manifest) {
      known.children.push_back(target.digest);
    } else if (kind != oci::EdgeKind::foreign || co_await has(image, target.digest)) {
      known.blobs.push_back(object({.digest = target.digest, .size = target.size, .image = image}));
    }
  }
  if (parsed->kind != oci::ManifestKind::index) co_return known;
  const auto children = registry::children_for(content.bytes, *parsed, options_.platforms);
  for (const auto& child : children.wanted) known.wanted.push_back(child.digest);
  // Each once, as they stand there.
  if (children.all) known.children = known.wanted;
  co_return known;
}

// The bytes of a foreign layer are somebody else's to give; some registries hold them all the same.
async::Task<bool> Walk::has(std::size_t image, oci::Digest digest) {
  const auto& wish = images_[image];
  const auto found = co_await wish.source->stat(wish.from, digest);
  using enum registry::FailureKind;
  if (!found && found.error().kind != absent && found.error().kind != denied) {
    registry::refuse(found.error(), registry::Subject::blob);
  }
  co_return found.has_value();
}

async::Task<> Walk::add_referrers(std::size_t image, oci::Digest subject) {
  const auto& wish = images_[image];
  if (!subjects_.emplace(wish.repository.text(), subject).second) co_return;
  registry::Page page{.after = {}, .limit = referrers_a_page};
  for (bool more = true; more;) {
    const auto found = co_await wish.source->referrers(wish.from, subject, {}, page);
    // An upstream need not know of referrers; but one that stumbles may have signatures.
    if (!found && found.error().kind == registry::FailureKind::absent) co_return;
    if (!found) registry::refuse(found.error(), registry::Subject::manifest);
    more = found->more && !found->referrers.empty();
    for (const auto& referrer : found->referrers) {
      page.after = referrer.descriptor.digest.text();
      co_await add_unit(image, Part::referrer, std::nullopt, referrer.descriptor.digest);
    }
  }
}

std::uint32_t Walk::object(PlannedObject object) {
  const auto number = static_cast<std::uint32_t>(graph_.objects.size());
  const auto [place, fresh] = numbers_.emplace(object.digest, number);
  if (fresh) graph_.objects.push_back(std::move(object));
  return place->second;
}

}  // namespace

async::Task<Graph> walk_images(const std::vector<BundleImage>& images, WalkOptions options,
                               std::function<void()> passed) {
  Walk walk(images, std::move(options), std::move(passed));
  co_return co_await walk.run();
}

}  // namespace entrepot::transfer
