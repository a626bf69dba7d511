// user add, remove, list: the htpasswd file, changed in place of htpasswd(1). A daemon that uses
// the file reads it again by itself.
#include <filesystem>
#include <functional>
#include <ostream>
#include <system_error>

#include "app/commands/command.hpp"
#include "app/commands/password.hpp"
#include "app/commands/site.hpp"
#include "app/config_error.hpp"
#include "entrepot/auth/password_file.hpp"

namespace entrepot::app::commands {
namespace {

std::filesystem::path file_of(const Place& place, const std::optional<std::string>& file) {
  if (file) return *file;
  const auto config = config_of(place);
  if (!config.access.htpasswd) {
    throw ConfigError("no users file: give --file, or access.htpasswd in the configuration");
  }
  return *config.access.htpasswd;
}

ExitStatus say(Console& console, const std::exception& error, ExitStatus status) {
  console.error << "entrepot: " << error.what() << '\n';
  return status;
}

ExitStatus guarded(Console& console, const std::function<ExitStatus()>& work) {
  try {
    return work();
  } catch (const ConfigError& error) {
    return say(console, error, ExitStatus::configuration);
  } catch (const std::invalid_argument& error) {
    return say(console, error, ExitStatus::usage);
  } catch (const std::system_error& error) {
    const bool forbidden = error.code() == std::errc::permission_denied;
    return say(console, error, forbidden ? ExitStatus::not_allowed : ExitStatus::data_unusable);
  } catch (const std::runtime_error& error) {
    return say(console, error, ExitStatus::configuration);
  }
}

}  // namespace

ExitStatus run(const AddUser& command, Console& console) {
  return guarded(console, [&] {
    const auto file = file_of(command.place, command.file);
    const auto password = read_password(console);
    if (!password) return ExitStatus::usage;
    auth::set_password(file, command.name, *password);
    return ExitStatus::clean;
  });
}

ExitStatus run(const RemoveUser& command, Console& console) {
  return guarded(console, [&] {
    const auto file = file_of(command.place, command.file);
    if (auth::remove_user(file, command.name)) return ExitStatus::clean;
    console.error << "entrepot: there is no user " << command.name << '\n';
    return ExitStatus::refused;
  });
}

ExitStatus run(const ListUsers& command, Console& console) {
  return guarded(console, [&] {
    for (const auto& name : auth::users(file_of(command.place, command.file))) {
      console.out << name << '\n';
    }
    console.out.flush();
    return ExitStatus::clean;
  });
}

}  // namespace entrepot::app::commands
