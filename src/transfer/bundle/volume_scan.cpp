#include "transfer/bundle/volume_scan.hpp"

#include <algorithm>

#include "transfer/bundle/tar_form.hpp"
#include "transfer/foreign_folder.hpp"

namespace entrepot::transfer {
namespace {

constexpr std::uint64_t bytes_a_read = 1 << 20;
constexpr std::uint64_t bytes_a_step = 16 << 20;

bool are_zeros(std::string_view bytes, std::uint64_t due) {
  return bytes.size() == due && bytes.find_first_not_of('\0') == bytes.npos;
}

oci::Algorithm algorithm_of(const VolumeMember& member) {
  return member.kind == MemberKind::blob ? member.digest->algorithm() : oci::Algorithm::sha256;
}

}  // namespace

VolumeScan::VolumeScan(const VolumeFile& file, Staging& staging, std::vector<bool> needed)
    : file_(file), staging_(staging), needed_(std::move(needed)), offset_(file.body_offset()) {}

bool VolumeScan::step() {
  const auto until = offset_ + bytes_a_step;
  while (offset_ < until && readable_ && next_ < file_.head().members.size()) {
    if (!inside_) begin_member();
    if (left_ > 0) read_some();
    if (left_ == 0) end_member();
  }
  if (readable_ && next_ < file_.head().members.size()) return true;
  check_end();
  return false;
}

void VolumeScan::complain(std::string sentence) {
  if (trouble_.empty()) trouble_ = std::move(sentence);
}

// Where the header should be the next thing starts all the same: sizes are the head's word.
void VolumeScan::begin_member() {
  const auto due = tar_header(name_of(member()), member().size);
  if (read_at(file_.fd(), offset_, due.size()) != due) {
    complain("is damaged before its member " + name_of(member()));
  }
  offset_ += due.size();
  left_ = member().size;
  hasher_ = oci::Hasher(algorithm_of(member()));
  inside_ = true;
  if (is_wanted()) staging_.begin(member());
}

void VolumeScan::read_some() {
  const auto bytes = read_at(file_.fd(), offset_, std::min(left_, bytes_a_read));
  if (bytes.empty()) {
    if (is_wanted()) staging_.drop();
    complain("ends early, in its member " + name_of(member()));
    readable_ = false;
    left_ = 0;
    return;
  }
  hasher_.update(base::as_bytes(bytes));
  if (is_wanted()) staging_.append(base::as_bytes(bytes));
  offset_ += bytes.size();
  left_ -= bytes.size();
}

void VolumeScan::end_member() {
  if (!readable_) return;
  const bool good = hasher_.current() == *member().sum;
  if (!good) complain("is damaged in its member " + name_of(member()));
  if (is_wanted()) good ? staging_.accept() : staging_.drop();
  const auto padding = tar_padding(member().size);
  if (!are_zeros(read_at(file_.fd(), offset_, padding), padding)) {
    complain("is damaged behind its member " + name_of(member()));
  }
  offset_ += padding;
  inside_ = false;
  ++next_;
}

void VolumeScan::check_end() {
  if (!readable_) return;
  if (!are_zeros(read_at(file_.fd(), offset_, tar_end), tar_end)) complain("is damaged at its end");
  offset_ += tar_end;
  if (file_.size() != file_.size_due()) complain("is not as long as it should be");
}

}  // namespace entrepot::transfer
