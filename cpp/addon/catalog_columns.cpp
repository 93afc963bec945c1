#include "addon/catalog_columns.h"

#include <utility>

#include "addon/records.h"

namespace domino_vss::addon {

namespace {

/// How many strings JavaScript fetches at a time.
constexpr std::size_t kTextsInBlock = 1024;

template <typename Row>
std::vector<std::string> textsOf(const std::vector<Row>& rows, std::string Row::*text) {
    std::vector<std::string> blocks;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (i % kTextsInBlock == 0)
            blocks.emplace_back();
        else
            blocks.back() += '\0';
        blocks.back() += rows[i].*text;
    }
    return blocks;
}

Napi::Array toBuffers(Napi::Env env, const std::vector<std::string>& blocks) {
    Napi::Array array = Napi::Array::New(env, blocks.size());
    for (std::uint32_t i = 0; i < blocks.size(); ++i)
        array.Set(i, Napi::Buffer<char>::Copy(env, blocks[i].data(), blocks[i].size()));
    return array;
}

}  // namespace

CatalogColumns::CatalogColumns(domino::Catalog catalog)
    : catalog_(std::move(catalog)),
      paths_(textsOf(catalog_.entries, &domino::CatalogEntry::path)),
      files_(textsOf(catalog_.entries, &domino::CatalogEntry::file)),
      fileIds_(textsOf(catalog_.entries, &domino::CatalogEntry::fileId)),
      aliases_(textsOf(catalog_.aliases, &domino::CatalogAlias::alias)),
      aliasPaths_(textsOf(catalog_.aliases, &domino::CatalogAlias::path)) {}

Napi::Object CatalogColumns::toObject(Napi::Env env) const {
    const std::size_t count = catalog_.entries.size();
    Napi::Float64Array sizeBytes = Napi::Float64Array::New(env, count);
    Napi::Float64Array allocatedBytes = Napi::Float64Array::New(env, count);
    Napi::Float64Array modifiedMs = Napi::Float64Array::New(env, count);
    Napi::Uint16Array volumeIndex = Napi::Uint16Array::New(env, count);
    for (std::size_t i = 0; i < count; ++i) {
        const domino::CatalogEntry& entry = catalog_.entries[i];
        sizeBytes[i] = static_cast<double>(entry.sizeBytes);
        allocatedBytes[i] = static_cast<double>(entry.allocatedBytes);
        modifiedMs[i] = entry.modifiedMs;
        volumeIndex[i] = entry.volume;
    }
    Napi::Array volumes = Napi::Array::New(env, catalog_.volumes.size());
    for (std::uint32_t i = 0; i < catalog_.volumes.size(); ++i)
        volumes.Set(i, addon::toObject(env, catalog_.volumes[i]));
    Napi::Array problems = Napi::Array::New(env, catalog_.problems.size());
    for (std::uint32_t i = 0; i < catalog_.problems.size(); ++i)
        problems.Set(i, addon::toObject(env, catalog_.problems[i]));

    Napi::Object object = Napi::Object::New(env);
    object["paths"] = toBuffers(env, paths_);
    object["files"] = toBuffers(env, files_);
    object["fileIds"] = toBuffers(env, fileIds_);
    object["aliases"] = toBuffers(env, aliases_);
    object["aliasPaths"] = toBuffers(env, aliasPaths_);
    object["sizeBytes"] = sizeBytes;
    object["allocatedBytes"] = allocatedBytes;
    object["modifiedMs"] = modifiedMs;
    object["volumeIndex"] = volumeIndex;
    object["volumes"] = volumes;
    object["problems"] = problems;
    return object;
}

}  // namespace domino_vss::addon
