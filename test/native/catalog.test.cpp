// Which files of a data directory are databases, behind links of all kinds, and what is told of the rest.

#include "domino/catalog.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "scratch.h"
#include "scripted_api.h"

namespace {

/// A call of the operating system that fails: others than root meet them all the time.
struct Fault {
    std::string function;
    std::string path;
    int error = EACCES;
    int after = 0;  ///< calls with this path that succeed before
};
std::optional<Fault> fault;

bool fails(std::string_view function, const char* path) {
    if (!fault || fault->path != path) return false;
    const bool isMeant = fault->function == function || (fault->function == "stat, lstat" && function != "open");
    if (!isMeant || fault->after-- > 0) return false;
    errno = fault->error;
    return true;
}

template <typename Function>
Function* next(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

// Visible, because the C++ library calls them too.
// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name)
extern "C" {
__attribute__((visibility("default"))) int open(const char* path, int flags, ...) {
    std::va_list rest;
    va_start(rest, flags);
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return fails("open", path) ? -1 : next<int(const char*, int, ...)>("open")(path, flags, mode);
}
__attribute__((visibility("default"))) int stat(const char* path, struct stat* found) noexcept {
    return fails("stat", path) ? -1 : next<int(const char*, struct stat*)>("stat")(path, found);
}
__attribute__((visibility("default"))) int lstat(const char* path, struct stat* found) noexcept {
    return fails("lstat", path) ? -1 : next<int(const char*, struct stat*)>("lstat")(path, found);
}
__attribute__((visibility("default"))) DIR* opendir(const char* path) {
    return fails("opendir", path) ? nullptr : next<DIR*(const char*)>("opendir")(path);
}
__attribute__((visibility("default"))) char* realpath(const char* path, char* resolved) noexcept {
    return fails("realpath", path) ? nullptr : next<char*(const char*, char*)>("realpath")(path, resolved);
}
}
// NOLINTEND(readability-inconsistent-declaration-parameter-name)

namespace {

using namespace domino_vss;
using domino::Catalog;
using domino::findDatabases;

/// A data directory. Names of links need the absolute path of their target.
class Data : public scratch::Directory {
public:
    void database(const std::string& name) const { scratch::write(at(name), std::string("\x1A\x00 a database", 13)); }
    void directory(const std::string& name) const { std::filesystem::create_directories(at(name)); }
    void text(const std::string& name, const std::string& content) const { scratch::write(at(name), content); }
    void link(const std::string& name, const std::string& target) const {
        std::filesystem::create_symlink(target, at(name));
    }
    [[nodiscard]] Catalog found(const std::vector<std::string>& excluded = {}) const {
        return findDatabases(at("data"), excluded);
    }
};

std::vector<std::string> paths(const Catalog& catalog) {
    std::vector<std::string> names;
    for (const auto& entry : catalog.entries) names.push_back(entry.path);
    return names;
}

std::vector<std::string> aliases(const Catalog& catalog) {
    std::vector<std::string> names;
    for (const auto& alias : catalog.aliases) names.push_back(alias.alias + " = " + alias.path);
    return names;
}

/// The only problem, which must be about this file.
Failure onlyProblem(const Catalog& catalog, const std::string& subject) {
    CHECK(catalog.problems.size() == 1);
    const Failure& problem = catalog.problems.front();
    CHECK(problem.code == std::string(code::kFind) && problem.phase == Phase::find && problem.subject == subject);
    return problem;
}

void findsDatabasesByNameAndSignature() {
    const Data data;
    data.directory("data/mail/a.ft");
    data.database("data/names.nsf");
    data.database("data/MAIL.BOX");
    data.database("data/t.ntf");
    data.database("data/mail/b.nsg");
    data.database("data/mail/c.NsH");
    data.database("data/mail/a.ft/hidden.nsf");  // a full-text index
    data.database("data/mail/other.txt");
    data.database("data/mail/nsf");
    const Catalog catalog = data.found();
    CHECK((paths(catalog) == std::vector<std::string>{"MAIL.BOX", "mail/b.nsg", "mail/c.NsH", "names.nsf", "t.ntf"}));
    CHECK(catalog.problems.empty() && catalog.aliases.empty() && catalog.volumes.size() == 1);
    CHECK(catalog.entries[1].file == data.at("data/mail/b.nsg") && catalog.entries[1].sizeBytes == 13);
    CHECK(findDatabases(data.at("data/"), {}).entries.size() == 5);
    // Whatever is left of a database is not passed over: Domino will refuse it, and the backup is partial.
    data.text("data/torn.nsf", "\x1A");
    CHECK(data.found().entries.size() == 6);
}

/// A backup of the database beside it may not be complete before somebody has decided which file to keep.
void namesWhatARestoreHasLeft() {
    const Data data;
    data.directory("data/mail");
    data.database("data/mail/a.nsf.domino-vss-original");
    data.database("data/mail/a.nsf.domino-vss-restore");
    data.database("data/mail/b.nsf");
    data.text("data/mail/notes.txt", "x");
    const Catalog catalog = data.found();
    CHECK((paths(catalog) == std::vector<std::string>{"mail/b.nsf"}));
    CHECK(catalog.problems.size() == 2);
    for (const Failure& problem : catalog.problems) {
        const bool isOriginal = problem.code == std::string(code::kOriginalAside);
        CHECK(problem.subject == data.at(isOriginal ? "data/mail/a.nsf" : "data/mail/a.nsf.domino-vss-restore"));
        CHECK(problem.text.find(isOriginal ? "keep the right one" : "remove it") != std::string::npos);
    }
    CHECK(catalog.problems[0].code != catalog.problems[1].code);
}

void needsTheDataDirectory() {
    const Data data;
    const auto missing = scripted::failureOf([&] { static_cast<void>(data.found()); });
    CHECK(missing && missing->code == std::string(code::kFind) && missing->operation == "stat");
    data.text("data", "a file");
    const auto file = scripted::failureOf([&] { static_cast<void>(data.found()); });
    CHECK(file && file->operation == "open" && file->status == ENOTDIR && file->subject == data.at("data"));
}

void leavesOutExcludedDirectories() {
    const Data data;
    data.directory("data/out");
    data.database("data/out/a.nsf");
    data.database("data/b.nsf");
    data.link("data/again", data.at("data/out"));
    const Catalog catalog = data.found({data.at("data/out"), data.at("missing")});
    CHECK(paths(catalog) == std::vector<std::string>{"b.nsf"} && catalog.aliases.empty() && catalog.problems.empty());
}

void followsDominosLinks() {
    const Data data;
    data.directory("data");
    data.directory("far/sub");
    data.database("far/a.nsf");
    data.database("far/sub/b.nsf");
    data.database("far/c.nsf");
    data.text("data/mail.dir", " \t" + data.at("far") + " \t\r\nadmins");
    data.text("data/again.dir", data.at("far/sub"));
    data.text("data/short.nsf", data.at("far/c"));  // means c.nsf
    data.text("data/whole.nsf", data.at("far/c.nsf") + "\n");
    const Catalog catalog = data.found();
    // The alphabetically first link counts.
    CHECK((paths(catalog) == std::vector<std::string>{"again/b.nsf", "mail/a.nsf", "mail/c.nsf"}));
    CHECK((aliases(catalog) ==
           std::vector<std::string>{"mail/sub/ = again/", "short.nsf = mail/c.nsf", "whole.nsf = mail/c.nsf"}));
    CHECK(catalog.problems.empty());
}

void followsLinksOfTheSystem() {
    const Data data;
    data.directory("data/mail");
    data.directory("far");
    data.database("data/mail/a.nsf");
    data.database("far/b.nsf");
    data.link("data/c.nsf", data.at("far/b.nsf"));
    data.link("data/also", data.at("data/mail"));
    data.link("data/loop", data.at("data"));
    data.link("data/text", "/etc/passwd");
    data.text("far/far.dir", data.at("far"));
    data.link("data/d.dir", data.at("far/far.dir"));
    const Catalog catalog = data.found();
    CHECK((paths(catalog) == std::vector<std::string>{"c.nsf", "mail/a.nsf"}));
    CHECK(
        (aliases(catalog) == std::vector<std::string>{"also/ = mail/", "d/b.nsf = c.nsf", "d/far/ = d/", "loop/ = "}));
    CHECK(catalog.entries[0].file == data.at("far/b.nsf") && catalog.problems.empty());
}

void namesLinksThatLeadNowhere() {
    const auto problem = [](const std::string& name, const std::string& content) {
        const Data data;
        data.directory("data");
        data.directory("far/dir.nsf");
        data.text("far/file", "no directory");
        data.text("far/text.nsf", "no database");
        std::string target = content;
        if (const std::size_t at = target.find("FAR"); at != std::string::npos) target.replace(at, 3, data.at("far"));
        data.text("data/" + name, target);
        const Catalog catalog = data.found();
        CHECK(catalog.entries.empty());
        return onlyProblem(catalog, data.at("data/" + name));
    };
    const Failure missing = problem("m.dir", "FAR/none");
    CHECK(missing.operation == "stat" && missing.status == ENOENT && missing.text.ends_with("far/none"));
    CHECK(problem("m.dir", "FAR/file").status == ENOTDIR);
    CHECK(problem("m.nsf", "FAR/none").text.ends_with("far/none.nsf"));
    CHECK(problem("m.nsf", "FAR/dir.nsf").text == "leads to a directory");
    CHECK(problem("m.nsf", "FAR/text.nsf").text.find("neither its signature") != std::string::npos);
    CHECK(problem("m.nsf", "/dev/null").text.find("the link leads to /dev/null.nsf") != std::string::npos);
    CHECK(problem("m.dir", "/proc/self").text.find("virtual directory of the kernel") != std::string::npos);
    for (const std::string content : {"", " \t ", "relative/path", "/with\xFF"})
        CHECK(problem("m.dir", content).text.find("no absolute path") != std::string::npos);
    CHECK(problem("m.dir", std::string("/a\0b", 4)).text.find("no absolute path") != std::string::npos);
    CHECK(problem("m.dir", "/" + std::string(4096, 'a')).text.find("no absolute path") != std::string::npos);
    for (const std::string content : {"", "\x1A\x01 else", "not a path"})
        CHECK(problem("m.nsf", content).text.find("neither its signature") != std::string::npos);
}

void namesWhatIsNoFile() {
    const auto textOf = [](const std::string& name, const std::function<void(const std::string&)>& make) {
        const Data data;
        data.directory("data");
        make(data.at("data/" + name));
        return onlyProblem(data.found(), data.at("data/" + name)).text;
    };
    const auto pipe = [](const std::string& path) { CHECK(::mkfifo(path.c_str(), 0600) == 0); };
    const auto socket = [](const std::string& path) {
        const int handle = ::socket(AF_UNIX, SOCK_STREAM, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        CHECK(path.size() < sizeof address.sun_path);
        std::memcpy(address.sun_path, path.c_str(), path.size());
        CHECK(::bind(handle, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        ::close(handle);
    };
    const auto device = [](const std::string& path) { std::filesystem::create_symlink("/dev/null", path); };
    const auto unreadable = [](const std::string& path) {
        std::filesystem::create_symlink(scratch::kUnreadable, path);
    };
    CHECK(textOf("p.nsf", pipe) == "has the name of a database but is a named pipe");
    CHECK(textOf("s.nsf", socket) == "has the name of a database but is a socket");
    CHECK(textOf("d.nsf", device) == "has the name of a database but is a device");
    CHECK(textOf("p.dir", pipe) == "has the name of a directory link but is a named pipe");
    CHECK(!textOf("u.nsf", unreadable).empty() && !textOf("u.dir", unreadable).empty());
    // A directory with such a name is searched like any other.
    const Data data;
    data.directory("data/a.nsf");
    data.database("data/a.nsf/b.nsf");
    CHECK(paths(data.found()) == std::vector<std::string>{"a.nsf/b.nsf"});
}

void namesWhatCannotBeReached() {
    const auto linked = [](const std::string& name, const std::string& target) {
        const Data data;
        data.directory("data");
        data.link("data/" + name, target);
        const Catalog catalog = data.found();
        CHECK(catalog.problems.empty() || catalog.problems.front().subject == data.at("data/" + name));
        return catalog.problems;
    };
    const auto problem = [&](const std::string& name, const std::string& target) {
        const auto problems = linked(name, target);
        CHECK(problems.size() == 1);
        return problems.front();
    };
    CHECK(problem("a.nsf", "none").status == ENOENT && problem("a.dir", "none").operation == "stat");
    CHECK(problem("a.nsf", "a.nsf").status == ELOOP);
    CHECK(problem("a", "none").text.starts_with("is a link that leads nowhere"));
    CHECK(problem("a", "a").text.starts_with("is a link that leads nowhere"));
    CHECK(linked("a.txt", "none").empty() && linked("a.txt", "a.txt").empty() && linked("a", "/etc/passwd").empty());
    CHECK(problem("a", "/proc/self").text.find("virtual directory") != std::string::npos);
    // Behind Domino's link.
    const Data data;
    data.directory("data");
    data.text("data/a.nsf", data.at("b.nsf"));
    data.link("b.nsf", scratch::kUnreadable);
    CHECK(onlyProblem(data.found(), data.at("b.nsf")).operation == "read");
}

/// Names that neither Domino nor JavaScript can express.
void namesWhatCannotBeSpoken() {
    const auto problems = [](const std::string& name, bool isDirectory) {
        const Data data;
        data.directory("data");
        if (isDirectory)
            data.directory("data/" + name);
        else
            data.text("data/" + name, "x");
        return data.found().problems;
    };
    for (const char* bytes : {"\xFF.nsf", "\xC3.dir"}) CHECK(problems(bytes, false).size() == 1);
    CHECK(problems("\xFF", true).size() == 1 && problems("\xFF", false).empty() && problems("\xFF.txt", false).empty());
    const Failure problem = problems("\xFF.nsf", false).front();
    CHECK(problem.subject.ends_with("/\\xff.nsf") && problem.status == EILSEQ);
    CHECK(problem.text.find("not valid Unicode") != std::string::npos);
}

void namesWhatFails() {
    const auto found = [](const char* function, const std::string& name, int after = 0, int error = EACCES) {
        const Data data;
        data.directory("data/sub");
        data.database("data/a.nsf");
        data.text("data/b.dir", "/none");
        data.text("data/c.nsf", "/none");
        data.text("data/d.txt", "x");
        data.link("data/e.nsf", data.at("data/a.nsf"));
        fault = Fault{function, data.at("data/" + name), error, after};
        std::vector<std::string> texts;
        Catalog catalog = data.found();
        fault.reset();
        // Links to nowhere are problems in any case.
        std::erase_if(catalog.problems,
                      [](const Failure& problem) { return problem.text.find("/none") != std::string::npos; });
        for (const Failure& problem : catalog.problems) {
            CHECK(problem.subject == data.at("data/" + name) && problem.status == static_cast<std::uint32_t>(error));
            texts.push_back(problem.operation);
        }
        return texts;
    };
    using Texts = std::vector<std::string>;
    CHECK(found("none", "a.nsf").empty());
    CHECK((found("stat", "sub") == Texts{"stat"}) && (found("stat", "sub", 1) == Texts{"stat"}));
    CHECK(found("stat, lstat", "c.nsf", 0, ENOENT).empty());  // removed since the directory was listed
    CHECK((found("opendir", "sub") == Texts{"opendir"}));
    CHECK((found("stat", "a.nsf") == Texts{"stat"}) && (found("stat", "b.dir") == Texts{"stat"}));
    CHECK(found("stat", "d.txt").empty());
    CHECK((found("stat", "e.nsf", 1) == Texts{"stat"}));
    CHECK((found("open", "a.nsf") == Texts{"open"}) && (found("open", "b.dir") == Texts{"open"}));
    CHECK((found("open", "c.nsf", 1) == Texts{"open"}) && (found("open", "e.nsf") == Texts{"open"}));
    CHECK((found("realpath", "a.nsf") == Texts{"realpath"}) && (found("realpath", "a.nsf", 1) == Texts{"realpath"}));
}

}  // namespace

int main() {
    return check::run({
        {"databases are found by name and signature", findsDatabasesByNameAndSignature},
        {"what a restore has left is named", namesWhatARestoreHasLeft},
        {"the data directory must be readable", needsTheDataDirectory},
        {"excluded directories are left out", leavesOutExcludedDirectories},
        {"Domino's links are followed", followsDominosLinks},
        {"links of the operating system are followed", followsLinksOfTheSystem},
        {"a link that leads nowhere is named", namesLinksThatLeadNowhere},
        {"what has the name of a database but is no file is named", namesWhatIsNoFile},
        {"what cannot be reached is named", namesWhatCannotBeReached},
        {"a name that cannot be spoken is named", namesWhatCannotBeSpoken},
        {"whatever fails is named", namesWhatFails},
    });
}
