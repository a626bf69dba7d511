// ImageWalk: manifests, from the root down and back up to its tags.
#include "registry/image_walk.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <utility>

#include "entrepot/async/together.hpp"
#include "entrepot/registry/platforms.hpp"
#include "registry/copy_failure.hpp"

namespace entrepot::registry {
namespace {

// Real ones have two levels (reliability.md M-10).
constexpr int deepest_index = 16;
constexpr std::size_t children_at_once = 4;

std::string manifest_of(const oci::Digest& digest, const oci::RepositoryName& name) {
  return "manifest " + digest.text() + " of " + name.text();
}

// A registry may answer for a name nobody has pushed to with its own upstream's trouble (502): what
// it holds is found out by putting it.
bool says_nothing_of(const Failure& failure) {
  return failure.kind == FailureKind::absent || failure.kind == FailureKind::broken;
}

std::vector<oci::Descriptor> blobs_of(const oci::Manifest& manifest) {
  std::vector<oci::Descriptor> blobs;
  for (const auto& edge : manifest.edges) {
    if (edge.kind == oci::EdgeKind::foreign || edge.kind == oci::EdgeKind::manifest) continue;
    blobs.push_back(edge.target);
  }
  return blobs;
}

}  // namespace

ImageWalk::ImageWalk(Source& from, Place& to, CopyOrder order, Mode mode)
    : from_(from),
      to_(to),
      order_(std::move(order)),
      mode_(mode),
      lanes_(std::max<std::size_t>(order_.options.blobs_at_once, 1)) {}

async::Task<Answer<CopyTally>> ImageWalk::run() {
  caller_ = co_await async::asio::this_coro::cancellation_state;
  try {
    co_await walk();
  } catch (const CopyFailure& failed) {
    if (!stopped_) co_return std::unexpected(failed.failure);
  }
  if (stopped_) std::rethrow_exception(stopped_);
  co_return tally_;
}

async::Task<> ImageWalk::walk() {
  root_ = co_await gather(order_.manifest, Part::image, 0);
  if (order_.options.referrers) co_await bring_referrers();
  co_await finish_root();
}

async::Task<ImageWalk::Image> ImageWalk::gather(oci::Digest digest, Part part, int depth) {
  check_going();
  const auto held = co_await to_.resolve(order_.to_name, oci::Reference(digest));
  if (held) {
    ++tally_.manifests_held;
    met_.push_back(digest);
    Image image{.content = {digest, held->media_type, {}, {}}, .held = true};
    if (oci::manifest_kind(held->media_type) == oci::ManifestKind::index) {
      image.children = co_await look_through(digest, part, depth);
    }
    co_return image;
  }
  if (!says_nothing_of(held.error())) {
    throw CopyFailure("asking for " + manifest_of(digest, order_.to_name), held.error(),
                      Whose::sink);
  }
  Image image{.content = co_await fetch(from_, order_.from_name, digest)};
  met_.push_back(digest);
  image.children = co_await bring_listed(image.content, part, depth);
  co_return image;
}

// Of an index that is there, a child may be missing all the same: it was left out.
async::Task<ManifestOffer::Children> ImageWalk::look_through(oci::Digest digest, Part part,
                                                             int depth) {
  const auto content = co_await fetch(to_, order_.to_name, digest);
  co_return co_await bring_listed(content, part, depth);
}

async::Task<ManifestContent> ImageWalk::fetch(Source& place, oci::RepositoryName name,
                                              oci::Digest digest) {
  auto content = co_await place.manifest(name, oci::Reference(digest));
  if (content) co_return std::move(*content);
  const bool missing = &place == &from_ && content.error().kind == FailureKind::absent;
  throw CopyFailure(manifest_of(digest, name), std::move(content.error()),
                    &place == &from_ ? Whose::source : Whose::sink,
                    missing ? std::optional(digest) : std::nullopt);
}

async::Task<> ImageWalk::bring(oci::Digest digest, Part part, int depth) {
  return manifests_.run(digest,
                        [this, digest, part, depth] { return bring_anew(digest, part, depth); });
}

async::Task<> ImageWalk::bring_anew(oci::Digest digest, Part part, int depth) {
  // A referrer may list the image it refers to; it is gathered then, and not put yet.
  const bool is_root = root_ && digest == order_.manifest;
  auto image = is_root ? *root_ : co_await gather(digest, part, depth);
  if (image.held) co_return;
  co_await put(image, {});
  if (is_root) root_->held = true;
}

async::Task<ManifestOffer::Children> ImageWalk::bring_listed(const ManifestContent& content,
                                                             Part part, int depth) {
  const auto what = manifest_of(content.digest, order_.from_name);
  const auto parsed = oci::parse_manifest(content.bytes, content.media_type);
  if (!parsed) {
    throw CopyFailure(what, {.kind = FailureKind::broken, .message = parsed.error()},
                      Whose::source);
  }
  if (parsed->kind == oci::ManifestKind::schema1) {
    throw CopyFailure(
        what,
        {.kind = FailureKind::denied, .message = "it is of Docker's schema 1, which is not copied"},
        Whose::source);
  }
  if (parsed->kind != oci::ManifestKind::index) {
    co_await bring_blobs(blobs_of(*parsed));
    co_return ManifestOffer::Children::all;
  }
  const bool filtered = part == Part::image;
  auto children = children_for(content.bytes, *parsed,
                               filtered ? order_.options.platforms : std::vector<std::string>());
  if (children.wanted.empty() && !children.all) {
    throw CopyFailure(what,
                      {.kind = FailureKind::absent,
                       .message = "it has no image for the platforms wanted",
                       .no_platform = true},
                      Whose::source);
  }
  if (depth >= deepest_index) {
    throw CopyFailure(what, {.kind = FailureKind::denied, .message = "it lies too deep"},
                      Whose::source);
  }
  const auto wanted = children.wanted.size();
  const auto left_out = co_await bring_children(std::move(children.wanted), part, depth + 1);
  if (left_out > 0 && left_out == wanted) {
    throw CopyFailure(
        what, {.kind = FailureKind::absent, .message = "the source has nothing of what it lists"},
        Whose::source);
  }
  const bool some = !children.all || left_out > 0;
  co_return some ? ManifestOffer::Children::some : ManifestOffer::Children::all;
}

async::Task<std::size_t> ImageWalk::bring_children(std::vector<oci::Descriptor> children, Part part,
                                                   int depth) {
  std::ranges::reverse(children);
  std::size_t left_out = 0;
  std::vector<async::Task<>> workers;
  for (std::size_t i = 0; i < std::min(children_at_once, children.size()); ++i) {
    workers.push_back(bring_some(children, part, depth, left_out));
  }
  co_await async::together(std::move(workers));
  co_return left_out;
}

async::Task<> ImageWalk::bring_some(std::vector<oci::Descriptor>& children, Part part, int depth,
                                    std::size_t& left_out) {
  while (!children.empty() && !failed_) {
    const auto child = children.back();
    children.pop_back();
    try {
      co_await bring(child.digest, part, depth);
    } catch (...) {
      if (!may_lack(child.digest, std::current_exception())) {
        note_failure();
        throw;
      }
      ++left_out;
    }
  }
}

// The child itself, not what it lists: of an image that is there nothing may be missing. What
// somebody asked for by its platform is no less than asked for.
bool ImageWalk::may_lack(const oci::Digest& child, const std::exception_ptr& failure) const {
  if (!order_.options.sparse_source || !order_.options.platforms.empty()) return false;
  try {
    std::rethrow_exception(failure);
  } catch (const CopyFailure& failed) {
    return failed.missing == child;
  } catch (...) {
    return false;
  }
}

async::Task<> ImageWalk::put(const Image& image, std::vector<oci::Tag> tags) {
  check_going();
  const auto& content = image.content;
  if (!image.held) {
    ++tally_.manifests;
    tally_.bytes += content.bytes.size();
  }
  if (mode_ == Mode::estimate) co_return;
  ManifestOffer offer{.digest = content.digest,
                      .media_type = content.media_type,
                      .bytes = content.bytes,
                      .tags = std::move(tags),
                      .version = order_.version,
                      .children = image.children};
  auto answer = co_await to_.put_manifest(order_.to_name, std::move(offer));
  if (!answer) {
    throw CopyFailure("putting " + manifest_of(content.digest, order_.to_name),
                      std::move(answer.error()), Whose::sink);
  }
}

async::Task<> ImageWalk::finish_root() {
  auto image = *root_;
  auto tags = image.held ? co_await tags_to_set() : order_.tags;
  if (image.held && tags.empty()) co_return;
  if (image.content.bytes.empty() && mode_ == Mode::copy) {
    image.content = co_await fetch(to_, order_.to_name, order_.manifest);
  }
  co_await put(image, std::move(tags));
}

// A version is told even where the tag stands already.
async::Task<std::vector<oci::Tag>> ImageWalk::tags_to_set() {
  if (order_.version) co_return order_.tags;
  std::vector<oci::Tag> moving;
  for (const auto& tag : order_.tags) {
    const auto now = co_await to_.resolve(order_.to_name, oci::Reference(tag));
    if (!now && !says_nothing_of(now.error())) {
      throw CopyFailure("asking for tag " + tag.text() + " of " + order_.to_name.text(),
                        now.error(), Whose::sink);
    }
    if (!now || now->digest != order_.manifest) moving.push_back(tag);
  }
  co_return moving;
}

bool ImageWalk::was_cancelled() const {
  return caller_ && caller_->cancelled() != async::asio::cancellation_type::none;
}

void ImageWalk::check_wanted() const {
  if (stopped_) std::rethrow_exception(stopped_);
  if (!was_cancelled()) return;
  throw boost::system::system_error(async::asio::error::operation_aborted);
}

// Who lists what was not brought is never put.
void ImageWalk::check_going() const {
  check_wanted();
  if (failed_) std::rethrow_exception(failed_);
}

void ImageWalk::note_failure() {
  if (!failed_) failed_ = std::current_exception();
}

}  // namespace entrepot::registry
