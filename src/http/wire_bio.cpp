#include "http/wire_bio.hpp"

#include <memory>
#include <new>

namespace entrepot::http {

namespace {

struct WireBio {
  Wire& wire;
  std::string& written;
  bool ended = false;
};

WireBio& of(BIO* bio) { return *static_cast<WireBio*>(BIO_get_data(bio)); }

int read(BIO* bio, char* into, std::size_t most, std::size_t* size) {
  BIO_clear_retry_flags(bio);
  auto& state = of(bio);
  const auto received = state.wire.try_read({into, most});
  if (!received) BIO_set_retry_read(bio);
  *size = received.value_or(0);
  state.ended = received == 0U;
  return *size > 0 ? 1 : 0;
}

int write(BIO* bio, const char* bytes, std::size_t length, std::size_t* size) {
  of(bio).written.append(bytes, length);
  *size = length;
  return 1;
}

long control(BIO* bio, int what, long, void*) {
  if (what == BIO_CTRL_EOF) return of(bio).ended ? 1 : 0;
  return what == BIO_CTRL_FLUSH ? 1 : 0;
}

int destroy(BIO* bio) {
  const std::unique_ptr<WireBio> state(static_cast<WireBio*>(BIO_get_data(bio)));
  BIO_set_data(bio, nullptr);
  return 1;
}

BIO_METHOD* make_method() {
  BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire");
  if (method == nullptr) throw std::bad_alloc();
  BIO_meth_set_read_ex(method, read);
  BIO_meth_set_write_ex(method, write);
  BIO_meth_set_ctrl(method, control);
  BIO_meth_set_destroy(method, destroy);
  return method;
}

}  // namespace

BIO* make_wire_bio(Wire& wire, std::string& written) {
  static BIO_METHOD* const method = make_method();
  auto state = std::make_unique<WireBio>(wire, written);
  BIO* bio = BIO_new(method);
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, state.release());
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace entrepot::http
