// The walk behind copy() and estimate(): one image with all that belongs to it.
//
// Gathering an image brings what its manifest lists: blobs side by side, children side by side.
// When the root is gathered, the referrers of all that was met are brought, theirs too; then the
// root is put, with its tags. Lives on one executor, for one copy.
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "entrepot/async/limiter.hpp"
#include "entrepot/oci/manifest.hpp"
#include "entrepot/registry/copy.hpp"
#include "registry/once.hpp"

namespace entrepot::registry {

class ImageWalk {
 public:
  enum class Mode { copy, estimate };
  ImageWalk(Source& from, Place& to, CopyOrder order, Mode mode);
  ImageWalk(const ImageWalk&) = delete;
  ImageWalk& operator=(const ImageWalk&) = delete;

  async::Task<Answer<CopyTally>> run();

 private:
  class Counted;
  enum class Part { image, referrer };
  struct Image {
    ManifestContent content;
    bool held = false;
    ManifestOffer::Children children = ManifestOffer::Children::all;
  };

  async::Task<> walk();
  // Everything a manifest lists is there afterwards; itself it is not put.
  async::Task<Image> gather(oci::Digest digest, Part part, int depth);
  async::Task<ManifestOffer::Children> look_through(oci::Digest digest, Part part, int depth);
  async::Task<ManifestContent> fetch(Source& place, oci::RepositoryName name, oci::Digest digest);
  async::Task<> bring(oci::Digest digest, Part part, int depth);
  async::Task<> bring_anew(oci::Digest digest, Part part, int depth);
  async::Task<ManifestOffer::Children> bring_listed(const ManifestContent& content, Part part,
                                                    int depth);
  // How many the source has not, where it may lack some.
  async::Task<std::size_t> bring_children(std::vector<oci::Descriptor> children, Part part,
                                          int depth);
  async::Task<> bring_some(std::vector<oci::Descriptor>& children, Part part, int depth,
                           std::size_t& left_out);
  bool may_lack(const oci::Digest& child, const std::exception_ptr& failure) const;
  async::Task<> bring_blobs(std::vector<oci::Descriptor> blobs);
  async::Task<> bring_some_blobs(std::vector<oci::Descriptor>& blobs);
  async::Task<> bring_blob(oci::Descriptor blob);
  async::Task<> move(oci::Descriptor blob);
  async::Task<> guess(oci::Descriptor blob);
  BlobOffer offer_of(const oci::Descriptor& blob);
  // What goes wrong with them is the source's, though the Sink tells of it.
  async::Task<Answer<BlobContent>> open(oci::Digest digest, BlobStart start);
  async::Task<Answer<BlobSize>> confirm(oci::Digest digest);

  async::Task<> bring_referrers();
  async::Task<> bring_some_referrers(std::vector<oci::Digest>& subjects);
  async::Task<> bring_referrers_of(oci::Digest subject);
  async::Task<> bring_referrer(oci::Digest digest);

  async::Task<> put(const Image& image, std::vector<oci::Tag> tags);
  async::Task<> finish_root();
  async::Task<std::vector<oci::Tag>> tags_to_set();

  void count_moved(std::uint64_t bytes);
  void count_missing(std::uint64_t more, std::uint64_t less) const;
  bool was_cancelled() const;
  // Throws when the caller wants no more.
  void check_wanted() const;
  // The same, or when something failed: then nothing new begins, what is under way goes on.
  void check_going() const;
  // For a catch block: what the walk ends with.
  void note_failure();

  Source& from_;
  Place& to_;
  const CopyOrder order_;
  const Mode mode_;
  CopyTally tally_;
  std::optional<Image> root_;
  std::vector<oci::Digest> met_;  // manifests, for their referrers
  Once manifests_;
  Once blobs_;
  async::Limiter lanes_;        // of blobs
  std::exception_ptr stopped_;  // what order_.moved threw
  std::exception_ptr failed_;   // the first failure
  std::optional<async::asio::cancellation_state> caller_;
};

}  // namespace entrepot::registry
