#include "transfer/foreign_repository.hpp"

namespace entrepot::transfer {

namespace {

std::string path_of(const oci::Digest& digest, Shape shape) {
  const auto hex = digest.hex();
  const auto folder = "blobs/" + std::string(oci::to_string(digest.algorithm())) + "/";
  return shape == Shape::layout ? folder + hex : folder + hex.substr(0, 2) + "/" + hex + "/data";
}

}  // namespace

std::optional<ForeignFolder::File> ForeignBlobs::open(const oci::Digest& digest) const {
  return top_.open(path_of(digest, shape_));
}

std::uint64_t ForeignBlobs::bytes() const {
  const auto blobs = top_.inside("blobs");
  return blobs ? blobs->bytes(shape_ == Shape::layout ? 1 : 3) : 0;
}

}  // namespace entrepot::transfer
