//! A bundle in parts, for a browser that opens the sealed items itself: every file that is not sealed, and where the
//! rest belongs.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use canvass_types::{CaseId, Digest, ItemId, OfferId, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    CourtExport, layout,
    model::{Contents, ItemFile},
    readme,
    write::{PackageError, records},
};

/// A file of a bundle: as text, or else as base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BundleFile {
    /// Where it lies, relative to the bundle.
    pub path: String,
    /// Its text, in UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Its bytes in base64, when it is no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
}

impl BundleFile {
    fn new(path: String, bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self { path, text: Some(text), base64: None },
            Err(error) => Self { path, text: None, base64: Some(BASE64_STANDARD.encode(error.as_bytes())) },
        }
    }
}

/// An item whose recording is to be opened and added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BundleItem {
    /// Its id.
    pub id: ItemId,
    /// The item that it is an altered copy of; null for an original.
    pub copy_of: Option<ItemId>,
    /// From which offer.
    pub offer: OfferId,
    /// The request or portal whose key opens it.
    pub destination: String,
    /// File name of the recording in the sealed bag.
    pub name: String,
    /// Where the recording belongs, relative to the bundle.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256; what has another one does not belong into the bundle.
    pub sha256: Digest,
    /// Length of the sealed bag.
    pub sealed_bytes: u64,
    /// SHA-256 of the sealed bag.
    pub sealed_sha256: Digest,
}

/// A consent that is to be taken from a sealed bag, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BundleConsent {
    /// To which offer.
    pub offer: OfferId,
    /// Where it belongs, relative to the bundle.
    pub path: String,
    /// The items in whose bags it lies; it must be the same in all.
    pub items: Vec<ItemId>,
}

/// A bundle for court but for what is sealed. Whoever adds the recordings and consents, `bag-info.txt` and the manifests
/// (RFC 8493) has the bundle that `canvass export` writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BundleParts {
    /// Which case.
    pub case: CaseId,
    /// Name of the agency.
    pub agency: String,
    /// When it was exported.
    pub exported: Time,
    /// Program and version that made the files.
    pub made_with: String,
    /// Every file that is not sealed, but for those with digests of others.
    pub files: Vec<BundleFile>,
    /// The items that still exist.
    pub items: Vec<BundleItem>,
    /// The consents of their offers.
    pub consents: Vec<BundleConsent>,
    /// Lines of `bag-info.txt` in this order, `Name: value`; the empty `Payload-Oxum` is octets and number of the files
    /// below `data/`, `<octets>.<files>`.
    pub bag_info: Vec<(String, String)>,
}

/// A bundle in parts.
///
/// # Errors
/// When a record has no JSON, or [`Contents::of`] fails.
pub fn parts(
    export: CourtExport,
    members: &[canvass_types::MemberView],
) -> Result<BundleParts, PackageError> {
    let sealed: Vec<(ItemId, u64)> =
        export.manifest.items.iter().map(|each| (each.item.id.clone(), each.item.sealed_bytes)).collect();
    let contents = Contents::of(export, members, Vec::new())?;
    outline(&contents, &sealed)
}

/// The parts of these contents, whose consents are still to come.
pub(super) fn outline(contents: &Contents, sealed: &[(ItemId, u64)]) -> Result<BundleParts, PackageError> {
    let case = &contents.case;
    let mut files = vec![
        BundleFile::new("bagit.txt".into(), layout::DECLARATION.into()),
        BundleFile::new(layout::README.into(), readme::render(case).into_bytes()),
    ];
    files.extend(records(contents)?.into_iter().map(|(path, bytes)| BundleFile::new(path, bytes)));
    let kept: Vec<&ItemFile> = case.items.iter().filter(|item| item.destroyed.is_none()).collect();
    let mut consents: Vec<BundleConsent> = Vec::new();
    for item in &kept {
        match consents.iter_mut().find(|each| each.offer == item.offer) {
            Some(known) => known.items.push(item.id.clone()),
            None => consents.push(BundleConsent {
                offer: item.offer.clone(),
                path: layout::consent(item.offer.as_str()),
                items: vec![item.id.clone()],
            }),
        }
    }
    let bytes = |id: &ItemId| sealed.iter().find(|(of, _)| of == id).map_or(0, |(_, bytes)| *bytes);
    let items = kept.iter().map(|item| BundleItem {
        id: item.id.clone(),
        copy_of: item.copy_of.clone(),
        offer: item.offer.clone(),
        destination: item.destination.clone(),
        name: item.name.clone(),
        path: layout::recording(item),
        bytes: item.bytes,
        sha256: item.sha256,
        sealed_bytes: bytes(&item.id),
        sealed_sha256: item.sealed_sha256,
    });
    let line = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Ok(BundleParts {
        case: case.case.clone(),
        agency: case.agency.name.clone(),
        exported: case.exported,
        made_with: case.made_with.clone(),
        items: items.collect(),
        files,
        consents,
        bag_info: vec![
            line("Bag-Software-Agent", &case.made_with),
            line("Bagging-Date", &case.exported.day()),
            line("Payload-Oxum", ""),
            line("External-Identifier", case.case.as_str()),
        ],
    })
}
