#include "transfer/bundle/volume_writer.hpp"

#include <array>
#include <stdexcept>
#include <system_error>

#include "entrepot/base/bytes.hpp"
#include "transfer/bundle/tar_form.hpp"

namespace entrepot::transfer {
namespace {

std::string zeros(std::uint64_t count) { return std::string(count, '\0'); }

oci::Digest no_sum() {
  const std::array<std::byte, 32> raw{};
  return oci::Digest::from_raw(oci::Algorithm::sha256, raw).value();
}

oci::Algorithm algorithm_of(const VolumeMember& member) {
  return member.kind == MemberKind::blob ? member.digest->algorithm() : oci::Algorithm::sha256;
}

}  // namespace

std::string sealed_text(std::string_view head) { return "entrepot volume 1\n" + std::string(head); }

std::uint64_t volume_size(const VolumeHead& head, std::uint64_t head_size) {
  auto size = tar_footprint(head_name, head_size) + tar_footprint(seal_name, seal_size) + tar_end;
  for (const auto& member : head.members) size += tar_footprint(name_of(member), member.size);
  return size;
}

VolumeWriter::VolumeWriter(const std::filesystem::path& path, VolumeHead head, const SiteKey& key)
    : head_(std::move(head)), key_(key), file_(path) {
  for (auto& member : head_.members) {
    if (member.kind == MemberKind::part) member.sum = no_sum();
  }
  head_size_ = render(head_).size();
  if (head_size_ > largest_head)
    throw std::runtime_error("a bundle of so many images is too large");
  file_.append(tar_header(head_name, head_size_));
  file_.append(zeros(head_size_ + tar_padding(head_size_)));
  file_.append(tar_header(seal_name, seal_size));
  file_.append(zeros(seal_size + tar_padding(seal_size)));
}

void VolumeWriter::begin(std::size_t member) {
  member_ = member;
  const auto& next = head_.members[member];
  file_.append(tar_header(name_of(next), next.size));
  hasher_ = oci::Hasher(algorithm_of(next));
}

void VolumeWriter::append(base::ByteView bytes) {
  file_.append(bytes);
  hasher_.update(bytes);
}

void VolumeWriter::end() {
  auto& member = head_.members[member_];
  file_.append(zeros(tar_padding(member.size)));
  const auto sum = hasher_.current();
  if (member.kind == MemberKind::part) member.sum = sum;
  if (member.sum && *member.sum != sum) {
    throw std::system_error(EIO, std::generic_category(), member.sum->text() + " is damaged");
  }
}

void VolumeWriter::finish() {
  file_.append(zeros(tar_end));
  const auto text = render(head_);
  if (text.size() != head_size_) throw std::logic_error("the head of a volume has grown");
  file_.rewrite(tar_block, text);
  const auto seal = key_.public_key() + '\n' + base::to_base64(key_.sign(sealed_text(text))) + '\n';
  file_.rewrite(tar_footprint(head_name, head_size_) + tar_block, seal);
  file_.finish();
}

}  // namespace entrepot::transfer
