use super::*;

fn sites(text: &str) -> Vec<SiteConfig> {
    let file = SiteFile::parse(text).unwrap();
    file.sites(|_| Vec::new()).unwrap()
}

fn problems(text: &str) -> Vec<SiteProblem> {
    let file = SiteFile::parse(text).unwrap();
    file.sites(|_| Vec::new()).unwrap_err()
}

#[test]
fn yaml_and_json_say_the_same() {
    let yaml = "sites:\n  - url: https://a.example/\n    http_version: 1.1\n  \
                - name: B\n    url: https://b.example/\n    interval: 30s\n";
    let json = r#"{"sites": [{"url": "https://a.example/", "http_version": "1.1"},
                   {"name": "B", "url": "https://b.example/", "interval": "30s"}]}"#;
    assert_eq!(sites(yaml).len(), 2);
    assert_eq!(sites(yaml), sites(json));
    assert_eq!(sites("sites: []"), []);
}

#[test]
fn json_may_be_indented_with_tabs_and_escaped() {
    let json = "{\n\t\"sites\": [\n\t\t{\n\t\t\t\"url\": \"https:\\/\\/a.example\\/\",\n\t\t\t\
                \"name\": \"\\u00fc \\ud83d\\ude00\"\n\t\t}\n\t]\n}\n";
    assert_eq!(sites(json)[0].name, "\u{fc} \u{1f600}");
}

#[test]
fn every_problem_is_told_with_its_place_site_and_field() {
    let found = problems(
        "sites:\n  - url: example.com\n    interval: 1\n  - url: https://a.example/\n    \
         content_regex: \"(\"\n    headers:\n      \"bad name\": x\n  - name: C\n",
    );
    for (index, (line, column, site, name, field, message)) in [
        (2, 10, 0, "example.com", "url", "not a URL"),
        (3, 15, 0, "example.com", "interval", ""),
        (7, 7, 1, "https://a.example/", "headers", ""),
        (5, 20, 1, "https://a.example/", "content_regex", ""),
        (8, 5, 2, "C", "url", "missing"),
    ]
    .into_iter()
    .enumerate()
    {
        let told = &found[index];
        assert_eq!(told.place, Place { line, column }, "{found:#?}");
        assert_eq!((told.index, told.name.as_deref()), (site, Some(name)));
        assert_eq!(told.problem.field, field);
        assert!(told.problem.message.starts_with(message), "{found:#?}");
    }
}

#[test]
fn a_name_that_is_given_twice_names_both_lines() {
    let found = problems("sites:\n- url: https://a.example/x\n- url: https://a.example/y\n");
    assert_eq!((found[0].place.line, found[0].index), (3, 1));
    let expected = "name: \"a.example\" is already the name of the site in line 2";
    assert_eq!(found[0].problem.to_string(), expected);
}

#[test]
fn whoever_reads_it_may_find_more_wrong() {
    let text = "sites:\n- url: https://a.example/\n  headers:\n    accept: x\n- url: y\n";
    let file = SiteFile::parse(text).unwrap();
    let also = |fields: &Map<String, Value>| {
        let headers = fields.get("headers").into_iter();
        let problem = |_| FieldProblem {
            field: "headers.accept".to_owned(),
            message: "is hidden".to_owned(),
        };
        headers.map(problem).collect()
    };
    let found = file.sites(also).unwrap_err();
    let told = found
        .iter()
        .map(|one| (one.place.line, &*one.problem.field));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [(4, "headers.accept"), (5, "url")]
    );
}

#[test]
fn what_is_no_site_file_is_told_with_a_place() {
    for (text, line, named) in [
        ("", 1, "end of input"),
        ("sites: 7", 1, ""),
        ("sites:\n- 7\n", 2, "mapping"),
        ("sites: []\nsights: []\n", 2, "sights"),
        ("sites: [", 1, ""),
        ("\u{0}", 1, ""),
        (
            "sites:\n- url: https://a.example/\n  url: https://b.example/\n",
            3,
            "url",
        ),
        ("sites:\n- url: \"https://a.example/\n", 2, ""),
        ("sites:\n  - url: a\n   name: b\n", 3, ""),
    ] {
        let NotASiteFile { place, message } = SiteFile::parse(text).unwrap_err();
        assert!(message.contains(named), "{text:?}: {message}");
        assert_eq!(place.line, line, "{text:?}: {message}");
        assert!(!message.contains("column"), "{message}");
        assert!(place.column > 0, "{text:?}");
    }
}
