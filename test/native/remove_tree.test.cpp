// A directory of ours is removed, and somebody puts a link in its place in the moment between the look and the step
// into it. Whatever lies behind the link must stay.

#include "system/remove_tree.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "check.h"
#include "system/failure.h"

namespace {

using namespace domino_vss;
namespace fs = std::filesystem;

constexpr const char* kCode = "ERR_TEST";

fs::path root;
fs::path victim;

void write(const fs::path& file) {
    fs::create_directories(file.parent_path());
    std::ofstream(file) << "precious";
}

void prepare() {
    std::string name = (fs::temp_directory_path() / "domino-vss-remove-XXXXXX").native();
    CHECK(::mkdtemp(name.data()) != nullptr);
    root = name;
    victim = root / "victim";
    write(victim / "letter");
    write(victim / "below" / "letter");
    write(root / "ours" / "mail" / "ada.nsf");
    write(root / "ours" / "names.nsf");
}

void expectVictim() {
    CHECK(fs::exists(victim / "letter"));
    CHECK(fs::exists(victim / "below" / "letter"));
    fs::remove_all(root);
}

void removesEverything() {
    prepare();
    fs::create_directory_symlink(victim, root / "ours" / "link");
    fs::create_symlink(victim / "letter", root / "ours" / "mail" / "link");
    CHECK(::mkfifo((root / "ours" / "pipe").c_str(), 0600) == 0);
    removeTree((root / "ours").native() + "/", kCode);
    CHECK(!fs::exists(root / "ours"));
    removeTree((root / "ours").native(), kCode);  // there is nothing any more
    removeTree((root / "ours" / "deep" / "er").native(), kCode);
    expectVictim();
}

void removesOnlyTheLink() {
    prepare();
    fs::create_directory_symlink(victim, root / "link");
    removeTree((root / "link").native(), kCode);
    CHECK(!fs::is_symlink(fs::symlink_status(root / "link")));
    expectVictim();
}

/// The directory `mail` becomes a link to the victim before it is entered.
void swapForLink(const std::string& directory) {
    if (fs::path(directory).filename() != "mail") return;
    fs::rename(directory, root / "aside");
    fs::create_directory_symlink(victim, directory);
}

void isNotLedThroughALink() {
    prepare();
    removeTree((root / "ours").native(), kCode, swapForLink);
    CHECK(!fs::exists(root / "ours"));
    expectVictim();
}

/// The top directory itself.
void swapTop(const std::string& directory) {
    if (fs::path(directory).filename() != "ours") return;
    fs::rename(directory, root / "aside");
    fs::create_directory_symlink(victim, directory);
}

void isNotLedThroughALinkAtTheTop() {
    prepare();
    removeTree((root / "ours").native(), kCode, swapTop);
    expectVictim();
}

/// The directory above the one that is entered is moved into the victim.
void moveAway(const std::string& directory) {
    if (fs::path(directory).filename() == "below-mail") fs::rename(root / "ours" / "mail", victim / "moved");
}

void stopsWhereItWasMovedTo() {
    prepare();
    write(root / "ours" / "mail" / "below-mail" / "bob.nsf");
    try {
        removeTree((root / "ours").native(), kCode, moveAway);
        CHECK(!"a directory was left for one that is not its parent");
    } catch (const Failure& failure) {
        CHECK(std::string_view(failure.code) == kCode);
    }
    expectVictim();
}

void goesDeeperThanThereAreDescriptors() {
    prepare();
    fs::path deep = root / "ours";
    fs::current_path(deep);
    for (int i = 0; i < 3000; ++i) {
        CHECK(::mkdir("d", 0700) == 0);
        CHECK(::chdir("d") == 0);
    }
    fs::current_path("/");
    removeTree((root / "ours").native(), kCode);
    CHECK(!fs::exists(root / "ours"));
    expectVictim();
}

/// Not even root can remove what the kernel makes up.
void namesWhatCannotBeRemoved() {
    try {
        removeTree("/proc/self/task", kCode);
        CHECK(!"a file of /proc was removed");
    } catch (const Failure& failure) {
        CHECK(failure.operation == "unlinkat");
        CHECK(failure.status == EPERM);
        CHECK(failure.subject.starts_with("/proc/self/task"));
    }
}

}  // namespace

int main() {
    return check::run({{"everything goes, and nothing behind a link", removesEverything},
                       {"of a link only the link goes", removesOnlyTheLink},
                       {"a directory that becomes a link is not entered", isNotLedThroughALink},
                       {"the top directory that becomes a link is not entered", isNotLedThroughALinkAtTheTop},
                       {"a directory that is moved away ends the removal", stopsWhereItWasMovedTo},
                       {"a tree deeper than the limit of descriptors", goesDeeperThanThereAreDescriptors},
                       {"what cannot be removed is named", namesWhatCannotBeRemoved}});
}
