process SARESNET_SCAN {
    tag "${meta.id}"
    label 'process_low'

    conda "${moduleDir}/environment.yml"
    container "${ workflow.containerEngine == 'singularity' && !task.ext.singularity_pull_docker_container ?
        'https://depot.galaxyproject.org/singularity/saresnet:0.1.0--pyhdfd78af_0':
        'biocontainers/saresnet:0.1.0--pyhdfd78af_0' }"

    input:
    tuple val(meta) , path(regions)
    tuple val(meta2), path(fasta), path(fai), path(gzi)
    tuple val(meta3), path(model)
    val(shard)

    output:
    tuple val(meta), path("*.bed.gz"), emit: bed, optional: true
    tuple val(meta), path("*.tsv.gz"), emit: tsv, optional: true
    tuple val("${task.process}"), val('saresnet'), eval("saresnet --version | head -n 1 | sed 's/^saresnet[^0-9]*//'"), topic: versions, emit: versions_saresnet

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    // an ONNX file, or the id of a model that is installed
    def which = model ? "--model ${model}" : "--model ${meta3.id}"
    def share = shard ? "--shard ${shard}" : ''
    def number = shard ? '.{shard}' : ''
    def prefix = task.ext.prefix ?: "${meta.id}"
    def suffix = args.contains('--format tsv') || args.contains('--wide') ? 'tsv.gz' : 'bed.gz'
    """
    saresnet scan \\
        ${fasta} \\
        ${regions} \\
        ${which} \\
        ${share} \\
        ${args} \\
        --threads ${task.cpus} \\
        --output '${prefix}${number}.${suffix}'
    """

    stub:
    def args = task.ext.args ?: ''
    def number = shard ? ".${shard.toString().tokenize('/')[0]}" : ''
    def prefix = task.ext.prefix ?: "${meta.id}"
    def suffix = args.contains('--format tsv') || args.contains('--wide') ? 'tsv.gz' : 'bed.gz'
    """
    echo | gzip > ${prefix}${number}.${suffix}
    """
}
