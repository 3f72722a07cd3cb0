//! Prints the `OpenAPI` document of the API, which is kept in `docs/openapi.json`.

fn main() {
    print!("{}", fanfare_http::openapi_json());
}
