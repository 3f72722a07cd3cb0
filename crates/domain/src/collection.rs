//! Klaviyo's collections of profiles, and everything that differs between the kinds of them.

use crate::ids::CollectionId;
use crate::quota::Endpoint;
use crate::text_enum::text_enum;

text_enum! {
    /// What a Klaviyo collection of profiles is.
    CollectionKind {
        /// A list: people join and leave.
        List = "LIST",
        /// A segment: Klaviyo computes who is in it.
        Segment = "SEGMENT",
    }
}

/// A list or segment of one Klaviyo account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CollectionRef {
    /// List or segment.
    pub kind: CollectionKind,
    /// Klaviyo's id.
    pub id: CollectionId,
}

/// Everything that differs between the kinds of collection. Each kind has one descriptor.
#[derive(Debug, PartialEq, Eq)]
pub struct CollectionDescriptor {
    /// The type of its sync sources, `<vendor>:<entity>`.
    pub source_type: &'static str,
    /// Klaviyo's name of the resource type, which also stands for it in a message.
    pub noun: &'static str,
    /// The noun at the beginning of a message or as a heading.
    pub title: &'static str,
    /// The entity that an error of the API names when a collection of the kind was not found.
    pub entity: &'static str,
    /// The reason that an import gives for skipping a collection that Klaviyo does not know.
    pub not_found: &'static str,
    /// The first segment, after `/api`, of the URL paths of the kind.
    pub path: &'static str,
    /// The scope that a key needs to read it.
    pub scope: &'static str,
    /// Whether a key without that scope is refused when it is connected.
    pub is_scope_required: bool,
    /// The attributes that are requested. The size is not among them: requests for it have a quota of their own.
    pub attributes: &'static [&'static str],
    /// The quota's endpoints at which calls for the kind are counted.
    pub endpoints: CollectionEndpoints,
}

/// The quota's endpoint of each call that reads a collection.
#[derive(Debug, PartialEq, Eq)]
pub struct CollectionEndpoints {
    /// A page of all collections of the kind.
    pub browse: Endpoint,
    /// One collection.
    pub single: Endpoint,
    /// One collection with its size.
    pub count: Endpoint,
    /// A page of its members.
    pub members: Endpoint,
}

static LIST: CollectionDescriptor = CollectionDescriptor {
    source_type: "klaviyo:list",
    noun: "list",
    title: "List",
    entity: "Klaviyo list",
    not_found: "List not found",
    path: "lists",
    scope: "lists:read",
    is_scope_required: true,
    attributes: &["name", "created", "updated", "opt_in_process"],
    endpoints: CollectionEndpoints {
        browse: Endpoint::Lists,
        single: Endpoint::List,
        count: Endpoint::ListCount,
        members: Endpoint::ListProfiles,
    },
};

static SEGMENT: CollectionDescriptor = CollectionDescriptor {
    source_type: "klaviyo:segment",
    noun: "segment",
    title: "Segment",
    entity: "Klaviyo segment",
    not_found: "Segment not found",
    path: "segments",
    scope: "segments:read",
    is_scope_required: false,
    attributes: &["name", "created", "updated", "is_active", "is_processing"],
    endpoints: CollectionEndpoints {
        browse: Endpoint::Segments,
        single: Endpoint::Segment,
        count: Endpoint::SegmentCount,
        members: Endpoint::SegmentProfiles,
    },
};

impl CollectionKind {
    /// Everything that differs between this kind and the others.
    pub const fn descriptor(self) -> &'static CollectionDescriptor {
        match self {
            Self::List => &LIST,
            Self::Segment => &SEGMENT,
        }
    }

    /// The kind whose sync sources have this type.
    pub fn of_source_type(source_type: &str) -> Option<Self> {
        let mut kinds = Self::ALL.iter().copied();
        kinds.find(|kind| kind.source_type() == source_type)
    }

    /// The type of its sync sources, `<vendor>:<entity>`.
    pub const fn source_type(self) -> &'static str {
        self.descriptor().source_type
    }

    /// `list` or `segment`, as in the middle of a message.
    pub const fn noun(self) -> &'static str {
        self.descriptor().noun
    }
}
